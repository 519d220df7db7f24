/* SPDX-License-Identifier: MIT */
#include "work/waiting.h"

#include "stage/clock.h"
#include "work/crossing.h"

/* A sleeping thread needs about 50 us to be back at work: if workers talk to one another at the
 * moment, it is worth it to look for an answer for as long. */
enum { SPIN_NS = 50000, TALK_NS = 1000000 };

static bool is_talking(const sh_worker *worker, uint64_t now)
{
    return worker->host->n_workers > 1 &&
           now - worker->exchanged < sh__clock_ticks(worker->host, TALK_NS);
}

static bool spin(sh_worker *worker)
{
    uint64_t now = sh__ticks();
    if (!is_talking(worker, now))
        return false;
    uint64_t until = now + sh__clock_ticks(worker->host, SPIN_NS);
    while (!atomic_load_explicit(&worker->has_inbox, memory_order_relaxed)) {
        if (sh__ticks() >= until)
            return false;
        sh__relax();
    }
    return true;
}

/* The order matters: a sender puts a message into the inbox, then checks whether the worker is
 * asleep; the worker marks itself asleep, then checks the inbox. */
bool sh__worker_rest(sh_worker *worker)
{
    if (!worker->is_run || spin(worker))
        return sh__worker_deliver_inbox(worker);
    atomic_store(&worker->is_asleep, true);
    if (!sh__worker_has_mail(worker))
        return false;
    atomic_store(&worker->is_asleep, false);
    return sh__worker_deliver_inbox(worker);
}

void sh__worker_rise(sh_worker *worker)
{
    if (worker->is_run)
        atomic_store(&worker->is_asleep, false);
}

void sh__worker_run(sh_worker *worker)
{
    worker->is_run = true;
    uv_run(worker->loop, UV_RUN_DEFAULT);
    worker->is_run = false;
    atomic_store(&worker->is_asleep, true);
}

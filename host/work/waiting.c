/* SPDX-License-Identifier: MIT */
#include "work/waiting.h"

#include "stage/clock.h"
#include "work/crossing.h"

/* A worker that has exchanged messages a moment ago looks for an answer for a little while before
 * it sleeps: it need not be woken then, and the other worker makes no system call. That pays only
 * if the other one is at work on the answer. */
enum {
    LOOK_NS = 20000,     /* for so long, if messages were exchanged, ... */
    RECENT_NS = 1000000, /* ... and another worker ran, since then */
    MOST_IN_VAIN = 4, /* the n-th look in vain in a row is followed by 2^n skipped ones */
};

/* Whether another worker runs, or has run a moment ago. */
static bool is_other_at_work(const sh_worker *worker, uint64_t now, uint64_t recent)
{
    const sh_host *host = worker->host;
    for (unsigned i = 0; i < host->n_workers; i++) {
        if (i == worker->index)
            continue;
        uint64_t since =
            atomic_load_explicit(&host->workers[i].asleep_since, memory_order_relaxed);
        if (since == 0 || now - since < recent)
            return true;
    }
    return false;
}

static bool should_look(sh_worker *worker, uint64_t now)
{
    uint64_t recent = sh__clock_ticks(worker->host, RECENT_NS);
    if (now - worker->exchanged >= recent || !is_other_at_work(worker, now, recent))
        return false;
    if (worker->looks_to_skip > 0) {
        worker->looks_to_skip--;
        return false;
    }
    return true;
}

/* Waits a little for messages. Returns whether there are any. */
static bool look(sh_worker *worker)
{
    uint64_t now = sh__ticks();
    if (worker->host->n_workers == 1 || !should_look(worker, now))
        return false;
    uint64_t until = now + sh__clock_ticks(worker->host, LOOK_NS);
    while (!atomic_load_explicit(&worker->has_inbox, memory_order_relaxed)) {
        if (sh__ticks() >= until) {
            worker->looks_to_skip = (1U << worker->looks_in_vain) - 1;
            if (worker->looks_in_vain < MOST_IN_VAIN)
                worker->looks_in_vain++;
            return false;
        }
        sh__relax();
    }
    worker->looks_in_vain = 0;
    return true;
}

/* Marks the worker asleep from now on. */
static void fall_asleep(sh_worker *worker)
{
    atomic_store(&worker->asleep_since, sh__ticks() | 1);
}

/* The order matters: a sender puts a message into the inbox, then checks whether the worker is
 * asleep; the worker marks itself asleep, then checks the inbox. */
bool sh__worker_rest(sh_worker *worker)
{
    if (!worker->is_run || look(worker))
        return sh__worker_deliver_inbox(worker);
    fall_asleep(worker);
    if (!sh__worker_has_mail(worker))
        return false;
    atomic_store(&worker->asleep_since, 0);
    return sh__worker_deliver_inbox(worker);
}

void sh__worker_rise(sh_worker *worker)
{
    if (worker->is_run)
        atomic_store(&worker->asleep_since, 0);
}

void sh__worker_run(sh_worker *worker)
{
    worker->is_run = true;
    uv_run(worker->loop, UV_RUN_DEFAULT);
    worker->is_run = false;
    fall_asleep(worker);
}

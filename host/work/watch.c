/* SPDX-License-Identifier: MIT
 *
 * The code that the workers run, seen from other threads. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "stage/activity.h"
#include "stage/clock.h"
#include "stage/host_state.h"

/* -- reading --------------------------------------------------------------------------- */

static void describe(const sh_stage *stage, const char *what, sh_busy *out)
{
    snprintf(out->callback, sizeof out->callback, "%s", what);
    if (!stage)
        return;
    snprintf(out->stage, sizeof out->stage, "%s", sh__stage_label(stage));
    if (stage->ops->locate)
        stage->ops->locate(stage->state, what, out->place, sizeof out->place);
}

/* Reads the activity of a worker. False: no code has run for least_ms. The lock keeps the stage
 * from ending. */
static bool read_activity(sh_host *host, sh_worker *worker, uint64_t least_ms, sh_busy *out)
{
    struct sh__activity *now = &worker->activity;
    const char *what = atomic_load_explicit(&now->what, memory_order_acquire);
    if (!what)
        return false;
    uint64_t since = atomic_load(&now->since), ticks = sh__ticks();
    const sh_stage *stage = atomic_load(&now->stage);
    uint64_t ms = ticks > since ? sh__clock_ns(host, ticks - since) / 1000000 : 0;
    if (ms < least_ms)
        return false;
    *out = (sh_busy){.worker = worker->index, .ms = ms, .run = since};
    describe(stage, what, out);
    return atomic_load(&now->since) == since && atomic_load(&now->what) == what;
}

void sh_host_each_busy(sh_host *host, uint64_t least_ms,
                       void (*each)(void *data, const sh_busy *busy), void *data)
{
    for (unsigned i = 0; i < host->n_workers; i++) {
        sh_busy busy;
        uv_mutex_lock(&host->watch_lock);
        bool is_busy = read_activity(host, &host->workers[i], least_ms, &busy);
        uv_mutex_unlock(&host->watch_lock);
        if (is_busy)
            each(data, &busy);
    }
}

bool sh_worker_get_busy(sh_worker *worker, sh_busy *out)
{
    return read_activity(worker->host, worker, 0, out);
}

void sh_busy_text(const sh_busy *busy, char *out, size_t size)
{
    char time[32], place[sizeof busy->place + 4] = "";
    if (busy->ms < 1000)
        snprintf(time, sizeof time, "%" PRIu64 " ms", busy->ms);
    else
        snprintf(time, sizeof time, "%.1f s", (double)busy->ms / 1000);
    if (busy->place[0])
        snprintf(place, sizeof place, " (%s)", busy->place);
    snprintf(out, size, "%s%s for %s on worker %u", busy->callback, place, time,
             busy->worker);
}

/* -- interrupting ---------------------------------------------------------------------- */

bool sh_host_interrupt(sh_host *host, const sh_busy *busy, int signal)
{
    sh_worker *worker = &host->workers[busy->worker];
    sh_busy now;
    uv_mutex_lock(&host->watch_lock);
    bool is_there = read_activity(host, worker, 0, &now) && now.run == busy->run &&
                    pthread_kill(worker->running, signal) == 0;
    uv_mutex_unlock(&host->watch_lock);
    return is_there;
}

bool sh_host_is_only_busy(sh_host *host)
{
    for (unsigned i = 0; i < host->n_workers; i++) {
        sh_worker *worker = &host->workers[i];
        if (atomic_load(&worker->n_stages) > 0 && !atomic_load(&worker->activity.what))
            return false;
    }
    return true;
}

/* -- on the worker --------------------------------------------------------------------- */

bool sh_worker_begins(sh_worker *worker, const char *what)
{
    if (atomic_load_explicit(&worker->activity.what, memory_order_relaxed))
        return false;
    sh__activity_begin(worker, worker->current, what);
    return true;
}

void sh_worker_ends(sh_worker *worker)
{
    sh__activity_end(worker);
}

/* SPDX-License-Identifier: MIT
 *
 * The clock must not leap over work that a descriptor has ready. So the loop first asks the kernel
 * without waiting; if that has given nothing to do, the clock leaps. */
#include "work/leap.h"

#include "stage/alarm.h"
#include "stage/clock.h"
#include "stage/host_state.h"
#include "stage/run_queue.h"
#include "work/crossing.h"

enum { PASS_NS = 1000000 };

/* What the loop may still wait for. */
struct awaited {
    const sh_worker *worker;
    bool process; /* a child process runs */
    bool input;   /* a handle of the program, or of one around it */
};

static void look_at(uv_handle_t *handle, void *data)
{
    struct awaited *awaited = data;
    if (!uv_is_active(handle) || handle == (const uv_handle_t *)&awaited->worker->bell.poll)
        return;
    awaited->process |= handle->type == UV_PROCESS;
    awaited->input |= uv_has_ref(handle) != 0;
}

/* Makes the loop turn once more without waiting. */
static void turn_again(sh_worker *worker)
{
    uv_idle_start(&worker->idle, worker->idle.idle_cb);
}

static void stall(sh_worker *worker)
{
    const sh_host_opts *opts = &worker->host->opts;
    if (worker->is_stalled || !opts->on_stall || atomic_load(&worker->host->alive) == 0)
        return;
    worker->is_stalled = true;
    opts->on_stall(opts->stall_data);
}

void sh__worker_leap(sh_worker *worker)
{
    sh__worker_deliver_inbox(worker);
    if (!worker->has_looked || sh__worker_has_work(worker) ||
        atomic_load(&worker->orders) != 0) {
        worker->has_looked = true;
        turn_again(worker);
        return;
    }
    worker->has_looked = false;
    struct awaited awaited = {.worker = worker};
    uv_walk(worker->loop, look_at, &awaited);
    if (awaited.process || worker->loop->active_reqs.count > 0)
        return;
    if (sh__alarms_leap(worker->host))
        turn_again(worker);
    else if (!awaited.input)
        stall(worker);
}

void sh__worker_pass(sh_worker *worker)
{
    sh__alarms_pass(worker->host, PASS_NS);
}

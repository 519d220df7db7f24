/* SPDX-License-Identifier: MIT
 *
 * A host owns its workers. Worker 0 runs on the thread that calls sh_host_run; another
 * worker's thread is made when the first stage is placed on it. The host ends when no stage
 * is alive. */
#include "stagehost/host.h"

#include <sched.h>

#include "base/alloc.h"
#include "life/above.h"
#include "stage/group.h"
#include "stage/host_state.h"
#include "stage/ledger.h"
#include "stage/name_waiters.h"
#include "stage/outbox.h"
#include "stage/registry.h"
#include "work/crossing.h"
#include "work/drain.h"
#include "work/waiting.h"
#include "work/worker.h"

/* The stack of a worker's thread, independent of `ulimit -s`, so that callbacks have the same room
 * everywhere. */
enum { STACK_SIZE = 8 << 20 };
/* Where a virtual clock begins: not at 0, which some places take for "never". */
enum { FIRST_NS = 1000000000 };

static unsigned count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

static unsigned choose_workers(const sh_host_opts *opts)
{
    if (opts->seeded || opts->virtual_clock)
        return 1;
    return opts->workers ? opts->workers : count_cpus();
}

static void free_base(sh_host *host)
{
    sh__name_waiters_free(host);
    sh__registry_free(host);
    sh__groups_free(host);
    sh_error_unref(host->first_failure);
    uv_mutex_destroy(&host->watch_lock);
    uv_mutex_destroy(&host->thread_lock);
    uv_mutex_destroy(&host->log_lock);
    uv_mutex_destroy(&host->lock);
    sh_free(host->workers);
    sh_free(host);
}

static sh_host *new_base(const sh_host_opts *opts)
{
    sh_host *host = sh__calloc(1, sizeof *host);
    if (!host)
        return NULL;
    host->opts = *opts;
    if (!opts->seeded && opts->seed == 0)
        host->opts.seed = uv_hrtime();
    host->n_workers = choose_workers(opts);
    atomic_init(&host->exit_status, -1);
    atomic_init(&host->max_demand,
                opts->max_demand > 0 ? opts->max_demand : SH_MAX_DEMAND_DEFAULT);
    sh__link_init(&host->alarms);
    atomic_init(&host->virtual_ns, FIRST_NS);
    host->ticks_at_start = sh__ticks();
    host->ns_at_start = uv_hrtime();
    host->workers = sh__calloc(host->n_workers, sizeof *host->workers);
    if (!host->workers) {
        sh_free(host);
        return NULL;
    }
    uv_mutex_init(&host->lock);
    uv_mutex_init(&host->log_lock);
    uv_mutex_init(&host->thread_lock);
    uv_mutex_init(&host->watch_lock);
    return host;
}

int sh_host_new(const sh_host_opts *opts, sh_host **out)
{
    static const sh_host_opts defaults;
    sh_host *host = new_base(opts ? opts : &defaults);
    if (!host)
        return SH_ENOMEM;
    unsigned made = 0;
    int status = SH_OK;
    for (; made < host->n_workers; made++) {
        struct uv_loop_s *loop = made == 0 ? host->opts.loop : NULL;
        status = sh__worker_init(&host->workers[made], host, made, loop);
        if (status < 0)
            goto worker_failed;
    }
    /* A failure is told to every stage that is started here. */
    sh__worker_open(&host->workers[0]);
    *out = host;
    return SH_OK;
worker_failed:
    while (made > 0)
        sh__worker_fini(&host->workers[--made]);
    free_base(host);
    return status;
}

/* -- threads --------------------------------------------------------------------------- */

static void run_thread(void *arg)
{
    sh_worker *worker = arg;
    /* A failure is told to every stage that is started here. */
    sh__worker_open(worker);
    uv_ref((uv_handle_t *)&worker->bell.poll);
    sh__worker_run(worker);
    uv_unref((uv_handle_t *)&worker->bell.poll);
    sh__worker_flush(worker);
    sh__worker_close(worker);
}

int sh__host_ensure_thread(sh_host *host, sh_worker *worker)
{
    if (worker->index == 0)
        return SH_OK;
    uv_mutex_lock(&host->thread_lock);
    int status = SH_OK;
    if (!worker->has_thread) {
        static const uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, STACK_SIZE};
        int problem = uv_thread_create_ex(&worker->thread, &options, run_thread, worker);
        status = problem == 0 ? SH_OK : SH_ENOMEM;
        worker->has_thread = status == SH_OK;
    }
    uv_mutex_unlock(&host->thread_lock);
    return status;
}

static void join_threads(sh_host *host)
{
    for (unsigned i = 1; i < host->n_workers; i++)
        if (host->workers[i].has_thread)
            sh__worker_order(&host->workers[i], SH__ORDER_QUIT);
    for (unsigned i = 1; i < host->n_workers; i++)
        if (host->workers[i].has_thread) {
            uv_thread_join(&host->workers[i].thread);
            host->workers[i].has_thread = false;
        }
}

/* -- run ------------------------------------------------------------------------------- */

/* Refuses messages that crossed while their receivers were ending, until no answer is under way. */
static void sweep(sh_host *host)
{
    bool again = true;
    while (again) {
        again = false;
        for (unsigned i = 0; i < host->n_workers; i++)
            again |= sh__worker_sweep(&host->workers[i]);
    }
}

/* No stage is alive any more: the loop is not kept from ending, and other threads end. */
static void leave(sh_host *host)
{
    uv_unref((uv_handle_t *)&host->workers[0].bell.poll);
    join_threads(host);
    sweep(host);
}

static void run(sh_host *host)
{
    uv_ref((uv_handle_t *)&host->workers[0].bell.poll);
    while (atomic_load(&host->alive) > 0)
        sh__worker_run(&host->workers[0]);
    leave(host);
}

int sh_host_run(sh_host *host)
{
    if (host->on_quit)
        return SH_ESTATE;
    run(host);
    return SH_OK;
}

static void end_attached(sh_host *host)
{
    if (atomic_load(&host->alive) > 0)
        return; /* stages have been started since */
    host->on_quit = NULL;
    leave(host);
    if (host->on_end)
        host->on_end(host->end_data);
}

int sh_host_attach(sh_host *host, void (*on_end)(void *data), void *data)
{
    if (!host->opts.loop || host->on_quit)
        return SH_ESTATE;
    host->on_quit = end_attached;
    host->on_end = on_end;
    host->end_data = data;
    uv_ref((uv_handle_t *)&host->workers[0].bell.poll);
    if (atomic_load(&host->alive) == 0)
        sh__worker_order(&host->workers[0], SH__ORDER_QUIT);
    return SH_OK;
}

void sh_host_free(sh_host *host)
{
    if (!host)
        return;
    host->on_quit = NULL;
    if (atomic_load(&host->alive) > 0) {
        sh_host_stop(host);
        run(host);
    }
    uv_unref((uv_handle_t *)&host->workers[0].bell.poll);
    join_threads(host);
    sweep(host);
    sh__worker_close(&host->workers[0]);
    sh__drain_close(host);
    sweep(host);
    for (unsigned i = 0; i < host->n_workers; i++)
        sh__worker_fini(&host->workers[i]);
    free_base(host);
}

/* -- the summary ----------------------------------------------------------------------- */

const sh_error *sh_host_first_failure(const sh_host *host)
{
    return host->first_failure;
}

void sh_host_get_summary(const sh_host *host, sh_host_summary *out)
{
    *out = (sh_host_summary){.stages_started = atomic_load(&host->started),
                             .killed = atomic_load(&host->killed),
                             .exited = atomic_load(&host->exited)};
    for (unsigned i = 0; i < host->n_workers; i++) {
        out->stages_failed += host->workers[i].stages_failed;
        out->discarded += host->workers[i].totals_discarded;
        out->declined += host->workers[i].totals_declined;
        out->unfinished += host->workers[i].totals_unfinished;
        out->skipped += host->workers[i].totals_skipped;
        out->dead_lettered += host->workers[i].totals_dead_lettered;
        out->redelivered += host->workers[i].totals_redelivered;
        out->combined += host->workers[i].totals_combined;
    }
}

void sh_host_each_unfinished(const sh_host *host,
                             void (*each)(void *data, const char *stage, uint64_t events,
                                          const char *where),
                             void *data)
{
    for (unsigned i = 0; i < host->n_workers; i++)
        for (struct sh__unfinished *entry = host->workers[i].unfinished; entry;
             entry = entry->next)
            each(data, entry->stage, entry->events, entry->where);
}

void sh_host_set_exit_status(sh_host *host, int status)
{
    atomic_store(&host->exit_status, status);
}

int sh_host_exit_status(const sh_host *host)
{
    return atomic_load(&host->exit_status);
}

sh_worker *sh_host_worker0(sh_host *host)
{
    return &host->workers[0];
}

unsigned sh_host_workers(const sh_host *host)
{
    return host->n_workers;
}

void sh_host_set_max_demand(sh_host *host, int64_t max_demand)
{
    atomic_store(&host->max_demand, max_demand < 1 ? 1 : max_demand);
}

int64_t sh_host_max_demand(const sh_host *host)
{
    return atomic_load(&host->max_demand);
}

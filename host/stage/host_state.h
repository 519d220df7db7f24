/* SPDX-License-Identifier: MIT
 *
 * The host: the state that all workers share. The struct is here because stages use it; the
 * functions that run a host are in work/host.c. */
#ifndef SH_HOST_STATE_H
#define SH_HOST_STATE_H

#include <stdatomic.h>
#include <uv.h>

#include "stage/alarm.h"

struct sh_host {
    sh_host_opts opts;
    unsigned n_workers;
    sh_worker *workers;
    struct sh__alarm drain_alarm; /* on worker 0: the limits of a drain */
    bool drain_alarm_open;
    uint64_t drain_began, drain_timeout_ms; /* set before SH__ORDER_LIMIT is given */

    _Atomic uint32_t alive;           /* stages that have not ended      */
    _Atomic uint32_t alive_sources;   /* of these, stages that produce   */
    _Atomic uint32_t alive_processes; /* of these, processes             */
    _Atomic uint32_t building;        /* processes that start others     */
    _Atomic uint64_t next_id;         /* of stages and subscriptions     */
    _Atomic uint64_t started;
    /* A drain is requested, has begun, ends processes, ends consumers. */
    _Atomic bool draining, drains, shutting_down, finishing;
    _Atomic bool killed, exited, declined;
    _Atomic bool has_failed;
    _Atomic bool has_name_waiters; /* a hint: changed under the lock */
    _Atomic int exit_status;       /* -1: none was set                */
    _Atomic int64_t max_demand;    /* of subscriptions without one    */

    uv_mutex_t lock;
    /* guarded by: lock */
    struct sh__registry *registry;
    struct sh__name_waiter *name_waiters;
    struct sh__groups *groups;
    sh_error *first_failure;
    uv_mutex_t log_lock;    /* guards: calls of opts.log */
    uv_mutex_t thread_lock; /* guards: has_thread of the workers */
    uv_mutex_t watch_lock;  /* guards: the end of stages in `activity` of workers */

    _Atomic uint64_t virtual_ns; /* the time, if the clock is virtual ... */
    struct sh__link alarms;      /* ... and the alarms that are set (stage/alarm.h) */

    uint64_t ticks_at_start, ns_at_start; /* to convert ticks into time */

    /* For a host in a loop that the application runs (sh_host_attach). */
    void (*on_quit)(sh_host *host); /* instead of leaving the loop; NULL: not attached */
    void (*on_end)(void *data);
    void *end_data;
};

/* sh_host_is_stopping, for stages. */
static inline bool sh__host_is_stopping(const sh_host *host)
{
    return atomic_load(&host->killed) || atomic_load(&host->exited);
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * The host: what all workers share. */
#ifndef SH_HOST_H
#define SH_HOST_H

#include <stdatomic.h>
#include <uv.h>

#include "stagehost.h"
#include "work/worker.h"

struct sh_host {
    sh_host_opts opts;
    unsigned n_workers;
    sh_worker *workers;
    uv_timer_t drain_timer; /* on worker 0 */
    bool drain_timer_open;

    _Atomic uint32_t alive;           /* stages that have not ended      */
    _Atomic uint32_t alive_sources;   /* of these, stages that produce   */
    _Atomic uint32_t alive_processes; /* of these, processes             */
    _Atomic uint64_t next_id;         /* of stages and subscriptions     */
    _Atomic uint64_t started;
    _Atomic bool draining, shutting_down, finishing, killed;
    _Atomic bool has_failed;
    _Atomic bool has_name_waiters; /* a hint: changed under the lock */
    _Atomic int exit_status;       /* -1: none was set                */

    uv_mutex_t lock;
    /* guarded by: lock */
    struct sh__registry *registry;
    struct sh__name_waiter *name_waiters;
    struct sh__groups *groups;
    sh_error *first_failure;
    uv_mutex_t log_lock;    /* guards: calls of opts.log */
    uv_mutex_t thread_lock; /* guards: has_thread of the workers */

    uint64_t ticks_at_start, ns_at_start; /* to convert ticks into time */
};

/* Starts the thread of a worker other than 0 if it has none. */
int sh__host_ensure_thread(sh_host *host, sh_worker *worker);
/* A stage begins or has ended; the last end wakes worker 0, and moves a drain on. */
void sh__host_stage_begins(sh_host *host, sh_kind kind);
void sh__host_stage_ended(sh_host *host, sh_stage *stage);
/* Somebody may send the stage dead letters: a drain ends it after who does, and does not wait
 * for it before. Any thread. */
void sh__host_exempt(sh_host *host, sh_stage *stage);
void sh__host_record_failure(sh_host *host, sh_error *error);
/* Has opts.on_failure called, if any stage has failed. */
void sh__host_tell_failure(sh_host *host);
uint64_t sh__host_ticks_to_ns(const sh_host *host, uint64_t ticks);

/* registry.c: unique names. Any thread; take the host's lock. */
int sh__registry_add(sh_host *host, const char *name, sh_stage *stage);
void sh__registry_remove(sh_host *host, const char *name, const sh_stage *stage);
/* Borrowed, NULL: there is none. Under the host's lock. */
sh_stage *sh__registry_find(const sh_host *host, const char *name);
void sh__registry_free(sh_host *host);

/* name_waiters.c: a named stage has been started: who waits for it is answered. */
void sh__name_taken(sh_worker *worker, sh_stage *stage);
void sh__name_waiters_free(sh_host *host);

/* group.c: a stage ends. On its worker. */
void sh__group_leave_all(sh_stage *stage);
void sh__groups_free(sh_host *host);

/* log.c */
bool sh__log_enabled(const sh_host *host, sh_log_level level);
void sh__log(sh_host *host, sh_log_level level, sh_log_code code, const sh_stage *stage,
             const sh_error *error, const char *fmt, ...);

#endif

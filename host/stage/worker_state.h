/* SPDX-License-Identifier: MIT
 *
 * A worker: a thread with its loop, its run queue of stages that have something to do, and the
 * two ends of the queues between workers. All of it belongs to the worker's own thread, except the
 * inbox. The struct is here because stages use it all the time; the functions that run a worker
 * are in work/worker.c and work/crossing.c. */
#ifndef SH_WORKER_STATE_H
#define SH_WORKER_STATE_H

#include <stdatomic.h>
#include <uv.h>

#include "base/compiler.h"
#include "base/list.h"
#include "stage/bell.h"
#include "stagehost/stage.h"

/* The activity of the worker's thread, for other threads to read: stage/activity.h. */
struct sh__activity {
    _Atomic(sh_stage *) stage;
    _Atomic(const char *) what; /* NULL: nothing that might last */
    _Atomic uint64_t since;     /* ticks */
};

struct sh_worker {
    sh_host *host;
    unsigned index;
    bool is_open; /* hooks.open has succeeded */
    bool has_thread;
    bool
        has_looked; /* with a virtual clock: the loop has asked for I/O since the last work */
    bool is_stalled;    /* opts.on_stall was called, and nothing has run since */
    bool is_run;        /* its loop runs in sh__worker_run */
    bool slicing;       /* inside a slice of the run queue */
    uint64_t ticks;     /* the last reading of the clock */
    uint64_t slice_ns;  /* how long a slice may take; specs change it */
    uint64_t slice_end; /* in ticks: no further callback begins in this slice */
    uint64_t brief;     /* a callback that takes fewer ticks is brief */
    uint32_t unread;    /* brief callbacks that may end before the clock is read again */
    struct sh__activity activity;
    uv_thread_t thread;
    uv_thread_t running; /* the thread that runs the worker; set before anything runs */
    uv_loop_t *loop;
    uv_loop_t *own_loop;  /* NULL: `loop` is the embedder's */
    struct sh__bell bell; /* rung by other threads */
    uv_idle_t idle;       /* active while the run queue is not empty */
    uv_prepare_t prepare; /* flushes outboxes before the loop waits */
    uv_check_t check;     /* the loop has waited */
    unsigned n_open_handles;

    sh_stage **run_queue; /* ring; capacity is a power of two */
    uint32_t run_capacity, run_head, run_length;
    sh_stage *front;               /* a stack of stages that go before the run queue ... */
    uint32_t front_turns;          /* ... and the number that have done so in a row */
    bool queue_had_turn;           /* in this slice ... */
    bool queue_is_due;             /* ... or it had none in the last one, and waits */
    sh_stage *fed_head, *fed_tail; /* stages given events in this turn, in order */
    bool is_seeded;                /* opts.seeded */
    bool is_direct;                /* an idle stage handles asks and events on arrival */
    uint64_t random;               /* sh__random; shuffles the queue when seeded */

    struct sh__link stages;      /* live stages, in order of start */
    struct sh__link ended;       /* ended stages: released when nothing runs */
    sh_stage *current;           /* the stage whose turn it is */
    struct sh__outbox *outboxes; /* one for each worker */
    bool has_outgoing;
    uint64_t exchanged; /* ticks of the last message to, or from, another worker */
    unsigned looks_to_skip, looks_in_vain; /* see work/waiting.c */
    struct sh__message *free_messages;
    uint32_t n_free_messages;
    struct sh__link pending_calls;
    struct sh__unfinished *unfinished;
    uint32_t n_unfinished;
    struct sh__travels { /* what crossed: stage/traffic.h */
        struct sh__route_sum *routes;
        struct sh__traveller *travellers;
        uint32_t n_routes, n_travellers;
    } travels;
    sh_from idle_waiter; /* sh_worker_await_idle */
    sh_error *open_error;
    void *slot;
    uint64_t totals_discarded, totals_declined, totals_unfinished, stages_failed;
    uint64_t totals_skipped, totals_dead_lettered, totals_redelivered;
    int64_t totals_combined;
    _Atomic uint32_t n_stages; /* for "any": read by others */

    /* guarded by: inbox_lock */
    uv_mutex_t inbox_lock;
    struct sh__message *inbox_head, *inbox_tail;
    _Atomic bool has_inbox; /* the inbox is not empty; read without the lock as a hint */
    _Atomic uint64_t asleep_since; /* ticks; 0: it is awake; see work/waiting.h */

    _Atomic uint32_t orders; /* SH__ORDER_* from other threads; wake follows */
};

/* Whether the worker has to look at its inbox, timers and I/O before the next callback. */
static inline bool sh__worker_slice_is_over(const sh_worker *worker)
{
    return worker->ticks >= worker->slice_end;
}

#endif

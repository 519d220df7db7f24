/* SPDX-License-Identifier: MIT
 *
 * A worker: a thread with its loop, its run queue of stages that have something to do, and
 * the two ends of the queues between workers. Everything in it belongs to its own thread,
 * except the inbox. */
#ifndef SH_WORKER_H
#define SH_WORKER_H

#include <stdatomic.h>
#include <uv.h>

#include "base/compiler.h"
#include "base/list.h"
#include "stage/message.h"
#include "stagehost.h"

/* Messages to one other worker, sent when the turn is over. */
struct sh__outbox {
    struct sh__message *head, *tail;
};

/* Control words between workers; bits of sh_worker.orders. */
enum {
    SH__ORDER_QUIT = 1,     /* no stage is left: leave the loop         */
    SH__ORDER_DRAIN = 2,    /* send DRAIN to every stage                */
    SH__ORDER_SHUTDOWN = 4, /* the pipeline has drained: end processes  */
    SH__ORDER_KILL = 8,     /* end every stage at once                  */
    SH__ORDER_FAILURE = 32, /* call opts.on_failure                     */
    SH__ORDER_DUMP = 16,    /* log one line for every stage             */
};

/* Stages of one name that ended with events nobody got. */
struct sh__unfinished {
    struct sh__unfinished *next;
    uint64_t events;
    const char *where;
    char stage[];
};

/* A call that its callee took and has not answered yet. */
struct sh__pending_call {
    struct sh__link link;
    sh_stage *callee; /* borrowed: removed before it is freed */
    sh_from from;     /* a reference */
};

struct sh_worker {
    sh_host *host;
    unsigned index;
    bool is_open; /* hooks.open has succeeded */
    bool has_thread;
    bool slicing;   /* inside a slice of the run queue */
    uint64_t ticks; /* when the slice, or the last callback in it, ended or began */
    uv_thread_t thread;
    uv_loop_t *loop;
    uv_loop_t *own_loop; /* NULL: `loop` is the embedder's */
    uv_async_t wake;
    uv_idle_t idle;       /* active while the run queue is not empty */
    uv_prepare_t prepare; /* flushes outboxes before the loop waits */
    unsigned n_open_handles;

    sh_stage **run_queue; /* ring; capacity is a power of two */
    uint32_t run_capacity, run_head, run_length;
    sh_stage *front;               /* a stack of stages that go before the run queue ... */
    uint32_t front_turns;          /* ... and how many have gone so without a break */
    sh_stage *fed_head, *fed_tail; /* have been given events in this turn, in order */
    bool is_seeded;                /* opts.seeded */
    bool is_direct;                /* an idle stage handles what comes on arrival */
    uint64_t random; /* state of the generator; shuffles the queue when seeded */

    struct sh__link stages; /* alive ones, in order of start */
    struct sh__link ended;  /* their last reference here is dropped when nothing runs */
    sh_stage *current;      /* whose turn it is */
    struct sh__outbox *outboxes; /* one for each worker */
    bool has_outgoing;
    uint64_t outgoing_events; /* in the outboxes: events, and those asked for */
    struct sh__message *free_messages;
    uint32_t n_free_messages;
    struct sh__link pending_calls;
    struct sh__unfinished *unfinished;
    uint32_t n_unfinished;
    sh_from idle_waiter; /* specs: answered when the run queue is empty */
    sh_error *open_error;
    void *slot;
    uint64_t totals_discarded, totals_unfinished, stages_failed;
    uint64_t totals_skipped, totals_dead_lettered, totals_redelivered;
    _Atomic uint32_t n_stages; /* for "any": read by others */

    /* guarded by: inbox_lock */
    uv_mutex_t inbox_lock;
    struct sh__message *inbox_head, *inbox_tail;

    _Atomic uint32_t orders; /* SH__ORDER_* from other threads; wake follows */
};

int sh__worker_init(sh_worker *worker, sh_host *host, unsigned index, uv_loop_t *loop);
/* Closes the handles; runs the loop until they are. */
void sh__worker_fini(sh_worker *worker);
/* Refuses what is in its inbox and sends what is staged, when no thread runs any more.
 * Returns whether there was anything. */
bool sh__worker_sweep(sh_worker *worker);
/* hooks.open, once; on the worker's thread. */
int sh__worker_open(sh_worker *worker);
void sh__worker_close(sh_worker *worker);
/* The ticks since `began`. Reading the clock costs as much as a small callback: it is read
 * once for each, and the little that the engine does before a callback counts with it. */
static inline uint64_t sh__worker_tick(sh_worker *worker, uint64_t began)
{
    worker->ticks = sh__ticks();
    return worker->ticks - began;
}

/* Puts a stage that has something to do into the run queue; harmless when it is there. */
void sh__worker_schedule(sh_worker *worker, sh_stage *stage);
/* The same for a stage that has been given events. Those that the stage at work gives events go
 * next, then it goes on itself: so events are handled while the processor has them at hand. */
void sh__worker_schedule_fed(sh_worker *worker, sh_stage *stage);
/* Whether a stage stands in front or in the queue. */
static inline bool sh__worker_has_work(const sh_worker *worker)
{
    return worker->front || worker->run_length > 0;
}

/* Takes out the stage whose turn it is; there is one. */
sh_stage *sh__worker_take_next(sh_worker *worker);
/* After a turn of `giver` that gave others events: they go first, then the giver itself if it has
 * more to do. */
void sh__worker_put_in_front(sh_worker *worker, sh_stage *giver, bool has_more);
/* Stages a message for another worker; takes it. */
void sh__worker_post(sh_worker *worker, sh_worker *target, struct sh__message *message);
/* Sends what is staged. */
void sh__worker_flush(sh_worker *worker);
/* crossing.c: the messages that came from other workers, as a list. */
struct sh__message *sh__worker_take_inbox(sh_worker *worker);
/* Delivers them, and does what was ordered. */
void sh__worker_on_wake(uv_async_t *handle);
/* Sets order bits and wakes the worker; any thread. */
void sh__worker_order(sh_worker *worker, uint32_t orders);
/* Counts events nobody got, for the ledger. */
void sh__worker_count_unfinished(sh_worker *worker, const sh_stage *stage, uint64_t events,
                                 const char *where);
/* A pseudo random number of the worker's generator. */
uint64_t sh__worker_random(sh_worker *worker);

#endif

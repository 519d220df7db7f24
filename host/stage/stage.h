/* SPDX-License-Identifier: MIT
 *
 * The inside of a stage. It handles one message at a time; handling one may leave follow-up
 * tasks on its agenda (a stack: a task's own follow-ups run before the tasks below it),
 * because any callback may wait and what comes after it must then wait too. A turn takes,
 * in this order: agenda, the rest of a batch being fed to handle_events, a
 * producer_consumer's input queue while there is credit, the mailbox. */
#ifndef SH_STAGE_H
#define SH_STAGE_H

#include <stdatomic.h>

#include "base/compiler.h"
#include "base/list.h"
#include "consume/limits.h"
#include "events/buffer.h"
#include "life/callback.h"
#include "stage/message.h"
#include "stage/subscription.h"
#include "stagehost.h"
#include "work/worker.h"

/* A stage's life. Every change goes through stage_set_phase in stage.c. */
#define SH__PHASE_MAP(XX)                                                                  \
    XX(NEW, "new")           /* made; START is in its mailbox                     */       \
    XX(STARTING, "starting") /* init and the first subscriptions                  */       \
    XX(RUNNING, "running")                                                                 \
    XX(LEAVING, "leaving") /* will end when its consumers have taken everything */         \
    XX(ENDING, "ending")   /* in terminate                                      */         \
    XX(ENDED, "ended")

enum sh__phase {
#define XX(name, text) SH__PHASE_##name,
    SH__PHASE_MAP(XX)
#undef XX
};

enum sh__task_kind {
    SH__TASK_DEMAND,        /* handle_demand(n)                                     */
    SH__TASK_SETTLE,        /* buffer to credit, then demand for what is missing    */
    SH__TASK_SUBSCRIBE_IN,  /* handle_subscribe on the consumer, then ask           */
    SH__TASK_SUBSCRIBE_OUT, /* handle_subscribe on the producer, then the dispatcher */
    SH__TASK_CANCEL_IN,     /* handle_cancel on the consumer, then its cancel mode  */
    SH__TASK_CANCEL_OUT,    /* handle_cancel on the producer                        */
    SH__TASK_PACE,          /* a producer's rate may allow more now                  */
    SH__TASK_REPLAY,        /* one item of what was accumulated                     */
    SH__TASK_SUBSCRIBE_TO,  /* the n-th subscription given at start                 */
    SH__TASK_STARTED,       /* init and its subscriptions are through               */
    SH__TASK_STOP,          /* end with error                                       */
};

struct sh__task {
    enum sh__task_kind kind;
    sh_ended how;
    int64_t n;
    sh_subscription *sub;            /* an atomic reference */
    sh_error *error;                 /* owned */
    struct sh__subscribe *subscribe; /* owned */
    sh_from from;                    /* from.stage is a reference */
};

/* An item held back in demand mode "accumulate", in order. */
struct sh__accumulated {
    struct sh__accumulated *next;
    int64_t demand;    /* > 0: a demand */
    sh_batch events;   /* else events ... */
    sh_marker *marker; /* ... or a marker */
    bool is_older;     /* it was in the buffer before */
    uint32_t delivery; /* of events that came back */
};

/* What a stage has counted. */
struct sh__counters {
    uint64_t events_in, events_out, messages_in, messages_out, asks_in, asks_out;
    uint64_t demand_in, demand_out;
    uint64_t discarded_full, discarded_no_consumers, discarded_none, discarded_stopped;
    uint64_t unfinished, callbacks;
    uint32_t consumers, producers;
};

/* What a dispatcher of a stage works with. */
struct sh__dispatch {
    sh_dispatch base;
    sh_stage *stage;
    uint32_t skipped;
};

/* The producer side of a stage. */
struct sh__producer {
    struct sh__dispatch dispatch;
    struct sh__buffer buffer;
    const sh_dispatcher_ops *dispatcher;
    void *dispatcher_state;
    int64_t owed; /* asked of handle_demand (or upstream), not answered by events yet */
    bool has_had_consumers, discard_when_no_consumers;
    bool is_accumulating;
    struct sh__accumulated *accumulated_head, *accumulated_tail;
    struct sh__accumulated *accumulated_older; /* last of those that came from the buffer */
    int64_t accumulated_events, accumulated_from_buffer;
    uint64_t polling_ms, polling_timer;
    struct sh__ack *acks; /* of all subscriptions with acknowledgement */
};

struct sh__timer;
struct sh__monitor;
struct sh__recovery;
struct sh__links;
struct sh__ack;

struct sh_stage {
    _Atomic uint32_t refs;
    _Atomic bool alive;
    uint8_t phase;          /* enum sh__phase */
    _Atomic bool is_exempt; /* a drain does not wait for it before it ends others */
    sh_kind kind;
    _Atomic uint32_t writers; /* stages that may send it dead letters */
    uint64_t id;
    sh_worker *worker;
    char *name;     /* NULL: none */
    char label[24]; /* "#id", or the "#label" it was given */
    const sh_stage_ops *ops;
    void *state, *arg;
    struct sh__crossing *arg_parcel;

    /* What keeps a turn from its usual course; `special` tells at once whether there is
     * any. */
    union {
        struct {
            bool is_waiting; /* a callback returned SH_WAIT */
            bool is_held;    /* specs: takes no message from its mailbox */
            bool is_killed;
            bool has_answers;    /* `answers` is not empty */
            bool is_not_running; /* phase is not RUNNING */
            bool has_exit;       /* a signal in `links` is to end it */
            bool is_absent;      /* START, which other workers' messages may overtake, has
                                    not arrived */
            bool unused[1];
        };
        uint64_t special;
    };
    bool is_queued;   /* in the run queue */
    bool in_callback; /* a callback is on the C stack */
    bool is_draining;
    bool end_with_last;
    bool await_consumers;
    bool is_cascade;    /* ends because a producer did */
    bool is_supervised; /* who started it deals with its failures */
    bool ended_by_signal;
    bool chose_to_stop; /* ends by its own decision: what is queued for it counts as
                           discarded */
    struct sh__mailbox mailbox;
    struct sh__mailbox answers; /* REPLY: taken even while a callback waits */
    struct sh__link link;       /* in worker->stages */
    sh_stage *behind;           /* in worker->front, or among those fed */

    /* the callback that runs or waits */
    struct {
        uint8_t callback;            /* enum sh__callback */
        sh_batch batch;              /* EVENTS: what it was given (owned) */
        int64_t ask;                 /* EVENTS: asked for after it */
        struct sh__message *message; /* CALL, CAST, INFO, NOTIFICATION */
        struct sh__markers told;     /* for its own consumers, behind what it returns */
        struct sh__task task;        /* SUBSCRIBE_*, CANCEL_* */
        uint64_t began;              /* ticks */
    } now;

    /* events that are being handed to handle_events */
    struct {
        sh_subscription *sub; /* held as by a message; NULL: nothing to feed */
        sh_batch rest;        /* what is left of the events that came (owned) */
        int64_t covered;      /* of these, asked for before they came */
        int64_t deliveries;   /* how often they have come; 0 or 1: never before */
        bool is_acked;        /* their producer waits to hear that they are handled */
    } feed;

    struct sh__task *tasks;
    uint16_t n_tasks, task_capacity;

    struct sh__limits *limits; /* of its subscriptions as a consumer that have one */
    struct sh__link producers; /* in-halves  */
    struct sh__link consumers; /* out-halves */
    struct sh__producer *out;  /* NULL on consumers and processes */
    struct sh__mailbox
        input; /* producer_consumer: EVENTS, NOTIFICATION, QUEUED_INFO, CANCEL, DOWN */

    struct sh__subscribe **subscribe_to;
    size_t n_subscribe_to;
    sh_error *end_reason; /* from LEAVING on, kept for who asks later */
    sh_from start_from;
    struct sh__timer *timers;
    struct sh__monitor *monitors;
    struct sh__links *links; /* NULL: none yet */
    struct sh__counters stats;
    uint64_t callback_ticks;
    struct sh__recovery *recovery; /* NULL: a failing callback ends the stage */

    /* specs: sees every message before the stage does; true: it took the message */
    bool (*tap)(sh_stage *stage, struct sh__message *message, void *data);
    void *tap_data;
};

/* stage.c ------------------------------------------------------------------------------ */
/* Hands a message on its own worker to the stage: queued, or handled at once (REPLY, KILL).
 * Takes it. */
void sh__stage_deliver(sh_stage *stage, struct sh__message *message);
/* One turn, bounded. Returns whether there is more to do. */
bool sh__stage_turn(sh_stage *stage);
/* Pushes a task on the agenda; takes what it owns. */
void sh__stage_push_task(sh_stage *stage, struct sh__task task);
/* The same for the frequent one, handle_demand(n). */
void sh__stage_push_demand(sh_stage *stage, int64_t n);
/* Ends the stage with `reason` (taken; NULL: normal). `in_order`: only after its consumers
 * have taken what it holds. */
void sh__stage_end(sh_stage *stage, sh_error *reason, bool in_order);
/* Ends it as a failure of the engine's rules: a named short error. */
void sh__stage_fail(sh_stage *stage, sh_error *error);
/* The same, below all that is on the agenda. */
void sh__stage_push_task_last(sh_stage *stage, struct sh__task task);
/* init and the first subscriptions are through: the starter is told. */
void sh__stage_started(sh_stage *stage);
/* Drops what a task owns. */
void sh__task_free(struct sh__task *task);
/* Every change of phase; asserts the table in stage.c. */
void sh__stage_set_phase(sh_stage *stage, enum sh__phase phase);
/* While the host drains: ends what nothing feeds any more. A consumer may still be asked for what it has got: it ends
 * when somebody waits for that, or no process is left. */
void sh__stage_end_drained(sh_stage *stage);
/* Ends a process whose callback sleeps, without waking it. */
void sh__stage_end_sleeping(sh_stage *stage);
/* An exit signal has come: ends the stage, giving up what its callback waits for. */
void sh__stage_end_by_signal(sh_stage *stage);
/* While LEAVING: ends the stage if nothing is left to hand on. */
void sh__stage_check_leaving(sh_stage *stage);
/* terminate has run (or is left out): takes everything down and tells the peers. */
void sh__stage_finish(sh_stage *stage);

/* receive.c: acts on a message from the mailbox; takes it. */
void sh__stage_receive(sh_stage *stage, struct sh__message *message);

/* start.c: START has arrived on the stage's worker. */
void sh__stage_begin(sh_stage *stage, struct sh__message *message);
/* Who waits for a start that has not come to its end; NULL: nobody, or it has. */
sh_stage *sh__stage_find_asker(sh_stage *stage);
/* What was only kept for its start. */
void sh__stage_free_start(sh_stage *stage);

/* end.c: events it holds that nobody will get now, for the ledger. */
void sh__stage_count_leftovers(sh_stage *stage);
/* A producer that ends by its handle_subscribe: the subscriber is not to wait for what it holds. */
void sh__stage_turn_away(sh_stage *stage, sh_subscription *sub, sh_error *reason);

/* consumer.c --------------------------------------------------------------------------- */
/* Subscribes; takes both. Answers from (a reference, or NULL stage). */
void sh__consumer_subscribe(sh_stage *stage, struct sh__subscribe *subscribe, sh_from from);
void sh__consumer_subscribed(sh_stage *stage, sh_subscription *sub, sh_mode mode);
/* Starts feeding the events of a message (taken) to handle_events. */
void sh__consumer_feed(sh_stage *stage, struct sh__message *message);
/* Drops what is being fed to handle_events. */
void sh__consumer_drop_feed(sh_stage *stage);
/* Events for an idle stage, without a message. Takes `batch` and returns true if the stage can
 * begin with them at once. */
bool sh__consumer_offer(sh_stage *stage, sh_subscription *sub, sh_batch batch);
/* Gives handle_events the next batch of what is being fed. */
void sh__consumer_next(sh_stage *stage);
/* After handle_events: the ask that its batch earned. */
void sh__consumer_ask(sh_stage *stage, sh_subscription *sub, int64_t n);
/* EVENTS, NOTIFICATION, CANCEL, DOWN on a stage that consumes; takes the message. */
void sh__consumer_message(sh_stage *stage, struct sh__message *message);
/* Leaves handle_cancel for a CANCEL or DOWN (taken) on the agenda; its half is closed
 * already. */
void sh__consumer_end_subscription(sh_stage *stage, struct sh__message *message);
/* handle_cancel has run: applies the cancel mode. */
void sh__consumer_cancelled(sh_stage *stage, sh_cancel mode, sh_error *reason);

/* producer.c --------------------------------------------------------------------------- */
struct sh__producer *sh__producer_new(void);
void sh__producer_free(struct sh__producer *out);
/* SUBSCRIBE, ASK, CANCEL_REQUEST, DOWN on a stage that produces; takes the message. */
void sh__producer_message(sh_stage *stage, struct sh__message *message);
/* An ask for n > 0 from a stage of the same worker, without a message. Returns whether the stage has
 * taken it: it is idle, and has nothing to send at once. */
bool sh__producer_offer_ask(sh_stage *stage, sh_subscription *sub, int64_t n);
/* handle_subscribe has answered. */
void sh__producer_subscribed(sh_stage *stage, struct sh__task *task);
/* Cancels one consumer: takes reason. `tell`: send it CANCEL. */
void sh__producer_cancel(sh_stage *stage, sh_subscription *sub, sh_ended how,
                         sh_error *reason, bool tell);
void sh__producer_set_demand(sh_stage *stage, sh_demand_mode mode);
void sh__producer_replay(sh_stage *stage);
/* Calls handle_demand again every polling_interval while demand is owed. */
void sh__producer_start_polling(sh_stage *stage);
/* The polling interval is over. False: nothing is owed any more, and the timer is to stop. */
bool sh__producer_poll(sh_stage *stage);

/* emit.c: events on their way out ------------------------------------------------------ */
/* Takes events from a callback: to the dispatcher, the rest to the buffer. */
void sh__emit(sh_stage *stage, sh_batch batch);
/* The same for events that had been accumulated, when it is their turn. */
void sh__emit_accumulated(sh_stage *stage, sh_batch batch);
/* The same for those events that came from the buffer: they answer no demand any more,
 * and what nobody takes goes back to its head. */
void sh__emit_buffered(sh_stage *stage, sh_batch batch, uint32_t delivery);
/* Puts events that came back before all others; takes them. SH_ENOMEM: nothing was taken. */
int sh__return_to_buffer(sh_stage *stage, const sh_returned *parts, uint32_t n);
/* Sends what is buffered as far as credit goes; asks for what is missing. */
void sh__settle(sh_stage *stage);
/* Puts an in-band message in its place among the events; takes it. */
void sh__mark(sh_stage *stage, sh_marker *marker);
/* The same for one that had been accumulated. `is_older`: all before it has been sent. */
void sh__mark_accumulated(sh_stage *stage, sh_marker *marker, bool is_older);
/* Lets an asked demand of `n` be served: buffer first, the rest is asked of handle_demand.
 */
void sh__serve(sh_stage *stage, int64_t n);
/* Fills in what the dispatcher of this stage may do. */
void sh__dispatch_init(struct sh__dispatch *out, sh_stage *stage);
/* Events it holds that nobody has got; what of the dispatcher's counts, `which` says. */
int64_t sh__producer_held(const sh_stage *stage, sh_held which);
/* A copy of `error` (taken) that names the stage, if it names none. */
sh_error *sh__error_at(sh_error *error, const sh_stage *stage);
/* Counts n events that a buffer or queue of that size had no room for, and logs them. */
void sh__discard_full(sh_stage *stage, uint64_t n, const char *what, int64_t size);
/* Drops the whole buffer: nobody is there to want it. */
void sh__discard_buffer(sh_stage *stage);

/* accumulate.c ------------------------------------------------------------------------- */
/* Adds an item behind all that is accumulated. False: out of memory, the stage fails; what it
 * holds stays the caller's. */
bool sh__accumulate(sh_stage *stage, struct sh__accumulated fields);
/* The same for what comes from the buffer: before all that was emitted since. */
bool sh__accumulate_older(sh_stage *stage, struct sh__accumulated fields);
/* The first item, or NULL. */
struct sh__accumulated *sh__accumulated_pop(struct sh__producer *out);
/* A list of all that came from the buffer, the newest first. */
struct sh__accumulated *sh__accumulated_pop_older(struct sh__producer *out);
void sh__accumulated_free(struct sh__accumulated *item);

/* producer_consumer.c ------------------------------------------------------------------ */
/* Takes one entry of the input queue if it may be taken now. Returns whether it did. */
bool sh__pump(sh_stage *stage);
/* Whether the stage has input or a batch in the works that should be handled before it
 * ends. */
bool sh__pump_is_empty(const sh_stage *stage);

/* request.c: calls, replies, monitors -------------------------------------------------- */
void sh__reply(sh_worker *worker, sh_from from, int status, sh_batch value,
               sh_error *error);
void sh__reply_subscription(sh_worker *worker, sh_from from, sh_subscription *sub);
void sh__reply_stage(sh_worker *worker, sh_from from, sh_stage *stage);
void sh__reply_integer(sh_worker *worker, sh_from from, int64_t value);
/* Takes `from`'s reference into the worker's list of unanswered calls. */
void sh__pending_call_add(sh_stage *callee, sh_from from);
/* Answers all unanswered calls and monitors of an ended stage. */
void sh__answer_ended(sh_stage *stage);
void sh__monitor_add(sh_stage *stage, sh_from from);

/* timer.c */
/* stats.c */
/* Logs one line: phase, demand, queues, last error. */
void sh__stage_dump(sh_stage *stage);

/* The answer has come: sh_timer_limit of it is over. */
void sh__timer_answered(sh_stage *stage, uint64_t ref);
/* Calls sh__recovery_due. False: there is no memory for it. */
bool sh__timer_retry(sh_stage *self, uint64_t after_ms);
/* Tells a producer with a rate when some time has passed: sh__paced_wake. */
/* Calls sh__limits_wake with the timer, once. */
int sh__timer_for_limits(sh_stage *self, uint64_t after_ms, uint64_t *id);
/* Calls sh__producer_poll every every_ms; *id: the timer. */
int sh__timer_poll(sh_stage *self, uint64_t every_ms, uint64_t *id);
int sh__timer_rate(sh_stage *self, uint64_t after_ms, uint64_t *id);
void sh__timers_stop(sh_stage *stage);
bool sh__stage_is_sleeping(const sh_stage *stage);

/* Whether the stage has nothing to do, so that what comes from a stage of the same worker now is
 * what it would do next: asks and events then need no message, they are handled on arrival. */
static inline bool sh__stage_is_idle(const sh_stage *stage)
{
    return !stage->special && !stage->n_tasks && !stage->feed.sub && !stage->mailbox.head &&
           stage->worker->current != stage && stage->worker->is_direct;
}

static inline bool sh__stage_consumes(const sh_stage *stage)
{
    return stage->kind == SH_CONSUMER || stage->kind == SH_PRODUCER_CONSUMER;
}

static inline const char *sh__stage_label(const sh_stage *stage)
{
    return stage->name ? stage->name : stage->label;
}

static inline int64_t sh__credit(const struct sh__producer *out)
{
    return out->dispatcher->credit(out->dispatcher_state);
}

/* A stage that is to end hands on all it has to a dispatcher that takes it, without regard
 * to credit: nobody would ask for what stands behind events of a consumer that is not there. */
static inline bool sh__is_emptying(const sh_stage *stage)
{
    return (stage->is_draining || stage->phase == SH__PHASE_LEAVING) &&
           stage->out->dispatcher->takes_owed;
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * The inside of a stage. It handles one message at a time; handling one may leave follow-up
 * tasks on its agenda (a stack: a task's own follow-ups run before the tasks below it),
 * because any callback may wait and the work after it must then wait too. A turn takes,
 * in this order: agenda, the rest of a batch being fed to handle_events, a
 * producer_consumer's input queue while there is credit, the mailbox. */
#ifndef SH_STAGE_H
#define SH_STAGE_H

#include <stdatomic.h>

#include "base/list.h"
#include "events/marker.h"
#include "stage/mailbox.h"
#include "stage/subscription.h"
#include "stage/worker_state.h"

/* clang-format off */
/* A stage's life. Every change goes through sh__stage_set_phase in agenda.c. */
#define SH__PHASE_MAP(XX)                                                                  \
    XX(NEW, "new")           /* made; START is in its mailbox */                           \
    XX(STARTING, "starting") /* init and the first subscriptions */                        \
    XX(RUNNING, "running")                                                                 \
    XX(LEAVING, "leaving")   /* will end when its consumers have taken everything */       \
    XX(ENDING, "ending")     /* in terminate */                                            \
    XX(ENDED, "ended")

/* The callbacks of a stage as the core runs them: one at a time, and any may wait. */
#define SH__CALLBACK_MAP(XX)                                                               \
    XX(NONE, "none")                                                                       \
    XX(INIT, "init")                                                                       \
    XX(DEMAND, "handle_demand")                                                            \
    XX(EVENTS, "handle_events")                                                            \
    XX(SUBSCRIBE_IN, "handle_subscribe")  /* on the consumer */                            \
    XX(SUBSCRIBE_OUT, "handle_subscribe") /* on the producer */                            \
    XX(CANCEL_IN, "handle_cancel")                                                         \
    XX(CANCEL_OUT, "handle_cancel")                                                        \
    XX(CALL, "handle_call")                                                                \
    XX(CAST, "handle_cast")                                                                \
    XX(INFO, "handle_info")                                                                \
    XX(NOTIFICATION, "handle_notification")                                                \
    XX(EXIT, "handle_exit")                                                                \
    XX(DOWN, "handle_down")                                                                \
    XX(END, "handle_end")                                                                  \
    XX(TERMINATE, "terminate")
/* clang-format on */

enum sh__phase {
#define XX(name, text) SH__PHASE_##name,
    SH__PHASE_MAP(XX)
#undef XX
};

enum sh__callback {
#define XX(name, text) SH__CALLBACK_##name,
    SH__CALLBACK_MAP(XX)
#undef XX
};

/* clang-format off */
enum sh__task_kind {
    SH__TASK_DEMAND,        /* handle_demand(n)                                      */
    SH__TASK_SETTLE,        /* buffer to credit, then demand for missing events      */
    SH__TASK_SUBSCRIBE_IN,  /* handle_subscribe on the consumer, then ask            */
    SH__TASK_SUBSCRIBE_OUT, /* handle_subscribe on the producer, then the dispatcher */
    SH__TASK_CANCEL_IN,     /* handle_cancel on the consumer, then its cancel mode   */
    SH__TASK_CANCEL_OUT,    /* handle_cancel on the producer                         */
    SH__TASK_PACE,          /* a producer's rate may allow more now                  */
    SH__TASK_COMBINE,       /* an accumulator may have waited long enough            */
    SH__TASK_REPLAY,        /* one accumulated item                                  */
    SH__TASK_SUBSCRIBE_TO,  /* the n-th subscription given at start                  */
    SH__TASK_STARTED,       /* init and its subscriptions are done                   */
    SH__TASK_STOP,          /* end with error                                        */
    SH__TASK_END,           /* handle_end, then end with error                       */
};
/* clang-format on */

struct sh__task {
    enum sh__task_kind kind;
    sh_ended how;
    int64_t n;
    sh_subscription *sub;            /* an atomic reference */
    sh_error *error;                 /* owned */
    struct sh__subscribe *subscribe; /* owned */
    sh_from from;                    /* from.stage is a reference */
};

/* The counters of a stage. */
struct sh__counters {
    uint64_t events_in, events_out, messages_in, messages_out, asks_in, asks_out;
    uint64_t demand_in, demand_out;
    uint64_t discarded_full, discarded_no_consumers, discarded_none, discarded_stopped;
    uint64_t declined, unfinished, callbacks;
    int64_t combined;
    uint64_t asks_answered, ask_ticks;
    uint32_t consumers, producers;
};

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
    char label[24]; /* "#id", or a given "#label" */
    const sh_stage_ops *ops;
    void *state, *arg;
    struct sh__crossing *arg_parcel;

    /* Flags that keep a turn from its usual course; `special` tells at once whether any is
     * set. */
    union {
        struct {
            bool is_waiting; /* a callback returned SH_WAIT */
            bool is_held;    /* specs: takes no message from its mailbox */
            bool is_killed;
            bool has_answers;    /* `answers` is not empty */
            bool is_not_running; /* phase is not RUNNING */
            bool has_exit;       /* a signal in `links` will end it */
            /* START has not arrived; other workers' messages may overtake it. */
            bool is_absent;
            bool unused[1];
        };
        uint64_t special;
    };
    bool is_queued;   /* in the run queue */
    bool in_callback; /* a callback is on the C stack */
    uint8_t brief;    /* enum sh__callback: the last one, if it took almost no time */
    bool is_draining;
    bool end_with_last;
    bool ends_producers; /* see sh_stage_end_producers */
    bool await_consumers;
    bool is_cascade;    /* ends because a producer did */
    bool is_supervised; /* its starter deals with its failures */
    bool has_results;   /* as its starter said; for sh_stage_has_results */
    bool builds;        /* a process that starts others: a drain waits for it to begin */
    bool ended_by_signal;
    bool has_travelled; /* it has had events that crossed between workers */
    /* The stage ends by its own decision: events queued for it count as discarded. */
    bool chose_to_stop;
    /* declines: it ends normally by its own will, and events that its producers still hold for it
     * are declined. is_declined: its consumers have all ended so, and events held for them are. */
    bool declines, is_declined;
    /* Of its subscriptions as a consumer: one that is not temporary has ended gracefully; the last
     * one to end has not; no more will be made; handle_end is due, or has been called. */
    bool has_ended_input, has_failed_input, is_finishing, was_told_end;
    bool counts_last; /* LEAVING: only messages that had come before are still taken: */
    uint32_t last_messages; /* this many */
    uint32_t n_inputs;      /* subscriptions whose end has not been dealt with */
    struct sh__mailbox mailbox;
    struct sh__mailbox answers; /* REPLY: taken even while a callback waits */
    struct sh__link link;       /* in worker->stages */
    sh_stage *behind;           /* in worker->front, or among the fed stages */

    /* the callback that runs or waits */
    struct {
        uint8_t callback;            /* enum sh__callback */
        bool has_failed;             /* EVENTS: sh_stage_fail_event was called */
        sh_batch batch;              /* EVENTS: its argument (owned) */
        int64_t ask;                 /* EVENTS: number to ask for after it */
        struct sh__message *message; /* CALL, CAST, INFO, NOTIFICATION */
        struct sh__markers told;     /* for its own consumers, after its events */
        struct sh__task task;        /* SUBSCRIBE_*, CANCEL_* */
        uint64_t began;              /* ticks */
    } now;

    /* events that are being handed to handle_events */
    struct {
        sh_subscription *sub; /* held as by a message; NULL: nothing to feed */
        sh_batch rest;        /* the events of the message not yet handled (owned) */
        int64_t covered;      /* number of these asked for before they came */
        int64_t deliveries;   /* the number of their delivery; 0 or 1: the first */
        bool is_acked;        /* their producer waits for their acknowledgement */
    } feed;

    struct sh__task *tasks;
    uint16_t n_tasks, task_capacity;

    struct sh__limits *limits; /* of its subscriptions as a consumer, if they have any */
    struct sh__link producers; /* in-halves  */
    struct sh__link consumers; /* out-halves */
    struct sh__producer *out;  /* NULL on consumers and processes */
    /* producer_consumer: EVENTS, NOTIFICATION, QUEUED_INFO, CANCEL, PRODUCER_DOWN */
    struct sh__mailbox input;

    sh_subscribe_defaults defaults; /* of its subscriptions as a consumer */
    struct sh__subscribe **subscribe_to;
    size_t n_subscribe_to;
    sh_error *end_reason; /* from LEAVING on, kept for later questions */
    sh_from start_from;
    struct sh__timer *timers;
    struct sh__monitor *monitors;
    struct sh__links *links; /* NULL: none yet */
    struct sh__counters stats;
    uint64_t callback_ticks;
    uint64_t started_ns;           /* by the host's clock */
    struct sh__recovery *recovery; /* NULL: a failing callback ends the stage */

    /* specs: sees every message before the stage does; true: it took the message */
    bool (*tap)(sh_stage *stage, struct sh__message *message, void *data);
    void *tap_data;
};

/* The flags must fill `special` exactly. */
_Static_assert(offsetof(struct sh_stage, unused) + sizeof((struct sh_stage *)0)->unused ==
                   offsetof(struct sh_stage, special) + sizeof(uint64_t),
               "the flags of a stage are read as one number");

/* Whether the stage has nothing to do, so that it would next handle input from a stage of the same
 * worker: asks and events then need no message, they are handled on arrival. */
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

#endif

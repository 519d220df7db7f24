/* SPDX-License-Identifier: MIT
 *
 * A subscription has two halves: `in` belongs to the consumer's worker, `out` to the
 * producer's. Neither worker touches the other half. The object itself is shared by both
 * halves, by handles and by messages on their way, and is its own tag: the address is the
 * identity.
 *
 * Counting: halves and handles hold atomic references. Messages between stages of one
 * worker are counted without atomics in `in_flight`; all of them together with the creation
 * hold one atomic reference (`grouped`), dropped when both halves are closed and no message
 * is left. */
#ifndef SH_SUBSCRIPTION_H
#define SH_SUBSCRIPTION_H

#include <stdatomic.h>

#include "base/list.h"
#include "stagehost/subscription.h"

/* An entry of the stages on whose behalf a subscription was made (sh_subscribe_opts.via). */
struct sh__via {
    struct sh__via *next;
    uint64_t id;
    char partition[]; /* the subscription's; "": none */
};

/* Events that came from, or went to, another worker. */
struct sh__traffic {
    uint64_t events, bytes;
    uint64_t ticks; /* decoding or encoding them */
};

struct sh_subscription {
    _Atomic uint32_t refs;
    bool local;         /* both stages live on one worker */
    bool grouped;       /* see above; local only */
    uint32_t in_flight; /* local only */
    uint64_t id;
    sh_stage *consumer; /* references; producer is NULL when its name was unknown */
    sh_stage *producer;

    /* guarded by: the consumer's worker */
    struct sh__half_in {
        struct sh__link link; /* in consumer->producers */
        bool open;
        bool manual;
        bool has_started; /* handle_subscribe has returned: asks may be sent */
        bool ack;         /* the producer wants acknowledgements; see produce/ack.h */
        uint32_t begun;   /* ack: events given to handle_events, which has not returned */
        uint32_t acked;   /* ack: events handled and not acknowledged yet */
        sh_cancel cancel;
        int64_t max, min, outstanding;
        uint64_t asked_at;   /* worker->ticks at the first ask since events came; 0: none */
        struct sh__via *via; /* on whose behalf; NULL: the consumer's own */
        struct sh__limits *limits; /* NULL: none; see consume/limits.h */
        void *slot;
        sh_subscription_stats stats;
        struct sh__traffic traffic;
    } in;

    /* guarded by: the producer's worker */
    struct sh__half_out {
        struct sh__link link; /* in producer->consumers */
        bool open;
        bool dispatching;    /* the dispatcher knows the subscription */
        bool declines;       /* the consumer has ended by its own will */
        struct sh__ack *ack; /* NULL: none; owned */
        void *slot;
        void *dispatch_data;
        struct sh__gathering {
            struct sh__message *message; /* the last one with events in the outbox ... */
            uint64_t portion;            /* ... if that is still at this portion */
            struct sh__crossing **end;   /* of its parcels */
        } gathering;                     /* see stage/outbox.h */
        sh_subscription_stats stats;
        struct sh__traffic traffic;
    } out;
};

/* A new subscription with one reference and closed halves. `producer` may be NULL. NULL when out of
 * memory. */
sh_subscription *sh__subscription_new(sh_worker *worker, sh_stage *consumer,
                                      sh_stage *producer);
void sh__subscription_open_in(sh_subscription *sub);
void sh__subscription_open_out(sh_subscription *sub);
/* Take the half out of its stage's list and drop its reference; do nothing when it is closed. */
void sh__subscription_close_in(sh_subscription *sub);
void sh__subscription_close_out(sh_subscription *sub);

/* Holds the subscription for a new message that names it. */
static inline void sh__subscription_hold(sh_subscription *sub, bool crossing)
{
    if (sub->local && !crossing)
        sub->in_flight++;
    else
        sh_subscription_ref(sub);
}

void sh__subscription_ungroup(sh_subscription *sub);

/* Drops the hold of a message. */
static inline void sh__subscription_drop(sh_subscription *sub, bool crossing)
{
    if (!sub->local || crossing)
        sh_subscription_unref(sub);
    else if (--sub->in_flight == 0 && !sub->in.open && !sub->out.open)
        sh__subscription_ungroup(sub);
}

#endif

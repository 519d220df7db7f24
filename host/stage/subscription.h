/* SPDX-License-Identifier: MIT
 *
 * A subscription has two halves: `in` belongs to the consumer's worker, `out` to the
 * producer's. Neither worker touches the other half. The object itself is shared by both
 * halves, by handles and by messages on their way, and is its own tag: the address is the
 * identity.
 *
 * Counting: halves and handles hold atomic references. Messages between stages of one
 * worker are counted without atomics in `in_flight`; all of them together with the creation
 * hold one atomic reference (`grouped`), dropped when both halves are closed and none is
 * left. */
#ifndef SH_SUBSCRIPTION_H
#define SH_SUBSCRIPTION_H

#include <stdatomic.h>

#include "base/list.h"
#include "stagehost/subscription.h"

/* One of those on whose behalf a subscription was made (sh_subscribe_opts.via). */
struct sh__via {
    struct sh__via *next;
    uint64_t id;
    char partition[]; /* that of the subscription; "": none */
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
        bool has_started; /* handle_subscribe has answered: asks may be sent */
        bool ack;       /* the producer wants to hear what is handled; see produce/ack.h */
        uint32_t begun; /* ack: given to handle_events, which has not returned */
        uint32_t acked; /* ack: handled, and not told yet */
        sh_cancel cancel;
        int64_t max, min, outstanding;
        uint64_t asked_at;   /* worker->ticks at the first ask since events came; 0: none */
        struct sh__via *via; /* on whose behalf; NULL: the consumer's own */
        struct sh__limits *limits; /* NULL: none; see consume/limits.h */
        void *slot;
        sh_subscription_stats stats;
    } in;

    /* guarded by: the producer's worker */
    struct sh__half_out {
        struct sh__link link; /* in producer->consumers */
        bool open;
        bool dispatching;    /* the dispatcher knows it */
        bool declines;       /* its consumer has ended by its own will */
        struct sh__ack *ack; /* NULL: none; owned */
        void *slot;
        void *dispatch_data;
        sh_subscription_stats stats;
    } out;
};

/* One reference, closed halves. `producer` may be NULL. NULL when out of memory. */
sh_subscription *sh__subscription_new(sh_worker *worker, sh_stage *consumer,
                                      sh_stage *producer);
void sh__subscription_open_in(sh_subscription *sub);
void sh__subscription_open_out(sh_subscription *sub);
/* Take the half out of its stage's list and drop its reference; harmless when closed. */
void sh__subscription_close_in(sh_subscription *sub);
void sh__subscription_close_out(sh_subscription *sub);

/* A message that names the subscription begins its life. */
static inline void sh__subscription_hold(sh_subscription *sub, bool crossing)
{
    if (sub->local && !crossing)
        sub->in_flight++;
    else
        sh_subscription_ref(sub);
}

void sh__subscription_ungroup(sh_subscription *sub);

/* ... and ends it. */
static inline void sh__subscription_drop(sh_subscription *sub, bool crossing)
{
    if (!sub->local || crossing)
        sh_subscription_unref(sub);
    else if (--sub->in_flight == 0 && !sub->in.open && !sub->out.open)
        sh__subscription_ungroup(sub);
}

#endif

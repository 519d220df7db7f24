/* SPDX-License-Identifier: MIT
 *
 * The limits of a subscription, for a consumer that does not ask and handle at once: it may be
 * paused or left, have a rate, or have batches of a size (batching.h). Limits are made when one
 * of these is first needed; a subscription without limits costs a test of a NULL pointer.
 *
 * While limits are shut nothing passes to handle_events: messages of the subscription are held,
 * in order, of any kind (events, notifications, the end). A consumer holds messages from its
 * mailbox, a producer_consumer messages from its input queue; when the limits open, they go back
 * to the head of that queue. */
#ifndef SH_LIMITS_H
#define SH_LIMITS_H

#include "stage/mailbox.h"

struct sh__limits {
    struct sh__limits *next; /* in consumer->limits */
    sh_subscription *sub;    /* a reference */
    bool is_paused;
    bool is_parting;           /* it has unsubscribed: asks for nothing more */
    bool is_throttled;         /* its rate allows no more now */
    int64_t unasked;           /* demand earned while it was paused */
    struct sh__mailbox held;   /* not empty only while the limits are shut */
    struct sh__rate *rate;     /* NULL: none */
    uint64_t rate_timer;       /* runs while it is throttled */
    struct sh__gather *gather; /* NULL: batches as they come */
    int64_t deliveries;        /* the most of any gathered event */
    uint64_t timeout_ms;       /* of a batch */
    uint64_t batch_timer;      /* 0: none runs */
    uint64_t begun_ns;         /* when the first gathered event came */
};

/* Gives a new subscription the limits that its options want. SH_ENOMEM. */
int sh__limits_start(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts);
/* Performs sh_subscription_unsubscribe; the subscription is open. Takes `reason`. */
void sh__limits_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason);
/* Whether the message belongs to a subscription whose limits are shut: it has to be held. */
bool sh__limits_shut_out(const struct sh__message *message);
/* Holds a message of a subscription with limits; takes it. */
void sh__limits_hold(struct sh__message *message);
/* Holds the rest of the message being fed, if it belongs to this subscription. */
void sh__limits_hold_feed(sh_stage *stage, struct sh__limits *limits);
/* Unless the limits are still shut: sends the kept asks, and lets the held messages be handled. */
void sh__limits_open(sh_stage *stage, struct sh__limits *limits);
/* Called for a message from the mailbox of a subscription with limits. True: it was taken, to be
 * held or handled. */
bool sh__limits_take(sh_stage *stage, struct sh__message *message);
/* Whether an ask may be sent; if not, the limits keep it. */
bool sh__limits_may_ask(struct sh__limits *limits, int64_t n);
/* Frees the limits while the end of the subscription is being handled. */
void sh__limits_close(sh_stage *stage, sh_subscription *sub);

/* Called when the stage ends gracefully, or the host drains: ends pauses, and lets partial batches
 * go on. */
void sh__limits_resume_all(sh_stage *stage);
/* Whether limits of the stage hold a message, or gather an event. */
bool sh__limits_hold_any(const sh_stage *stage);
bool sh__limits_gather_any(const sh_stage *stage);
/* The number of held and gathered events, except those that their producers keep until they are
 * acknowledged. */
uint64_t sh__limits_held_events(const sh_stage *stage);
/* Called when the stage has ended: drops all its limits, with the messages they hold. */
void sh__limits_free_all(sh_stage *stage);

static inline bool sh__limits_are_shut(const struct sh__limits *limits)
{
    return limits->is_paused || limits->is_throttled;
}

#endif

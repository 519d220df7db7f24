/* SPDX-License-Identifier: MIT
 *
 * The limits of a subscription: what its consumer wants of it beyond asking and handling at
 * once. It may be paused or left, have a rate, or have batches of a size (batching.h). Limits
 * are made when one of these is first wanted; a subscription without any costs a test of a NULL
 * pointer.
 *
 * While limits are shut nothing passes to handle_events: messages of the subscription are held,
 * in order, whatever they are (events, notifications, the end). A consumer holds what it takes
 * from its mailbox, a producer_consumer what it takes from its input queue; when the limits open,
 * the messages go back to the head of where they came from. */
#ifndef SH_LIMITS_H
#define SH_LIMITS_H

#include "stage/mailbox.h"

struct sh__limits {
    struct sh__limits *next; /* in consumer->limits */
    sh_subscription *sub;    /* a reference */
    bool is_paused;
    bool is_parting;           /* it has unsubscribed: asks for nothing more */
    bool is_throttled;         /* its rate allows no more now */
    int64_t unasked;           /* earned while it was paused */
    struct sh__mailbox held;   /* not empty only while the limits are shut */
    struct sh__rate *rate;     /* NULL: none */
    uint64_t rate_timer;       /* runs while it is throttled */
    struct sh__gather *gather; /* NULL: batches as they come */
    int64_t deliveries;        /* the most of what is gathered */
    uint64_t timeout_ms;       /* of a batch */
    uint64_t batch_timer;      /* 0: none runs */
    uint64_t begun_ns;         /* when the first event of what is gathered came */
};

enum sh__steer { SH__STEER_PAUSE, SH__STEER_RESUME, SH__STEER_UNSUBSCRIBE };

/* message->what of EVENTS whose events have been received already. */
enum { SH__RECEIVED = 1 };

/* Gives a new subscription the limits that its options want. SH_ENOMEM. */
int sh__limits_start(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts);
/* Does what sh_subscription_unsubscribe says; the subscription is open. Takes `reason`. */
void sh__limits_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason);
/* Whether the message belongs to a subscription whose limits are shut: it has to be held. */
bool sh__limits_shut_out(const struct sh__message *message);
/* Holds a message of a subscription with limits; takes it. */
void sh__limits_hold(struct sh__message *message);
/* Holds what is left of the message that is being fed, if it is of this subscription. */
void sh__limits_hold_feed(sh_stage *stage, struct sh__limits *limits);
/* Unless they are still shut: sends the asks that were kept, and lets what is held be handled. */
void sh__limits_open(sh_stage *stage, struct sh__limits *limits);
/* A message of a subscription with limits has come from the mailbox. True: it was taken, to be
 * held or handled. */
bool sh__limits_take(sh_stage *stage, struct sh__message *message);
/* Whether an ask may be sent; if not, the limits keep it. */
bool sh__limits_may_ask(struct sh__limits *limits, int64_t n);
/* The end of the subscription is being handled: frees its limits. */
void sh__limits_close(sh_stage *stage, sh_subscription *sub);

/* The stage ends in order, or the host drains: nothing is paused, and partial batches go on. */
void sh__limits_resume_all(sh_stage *stage);
/* Whether limits of the stage hold a message, or gather an event. */
bool sh__limits_hold_any(const sh_stage *stage);
bool sh__limits_gather_any(const sh_stage *stage);
/* The events of both, but for those that their producers keep until they are acknowledged. */
uint64_t sh__limits_held_events(const sh_stage *stage);
/* The stage has ended: drops all its limits, with what they hold. */
void sh__limits_free_all(sh_stage *stage);

static inline bool sh__limits_are_shut(const struct sh__limits *limits)
{
    return limits->is_paused || limits->is_throttled;
}

#endif

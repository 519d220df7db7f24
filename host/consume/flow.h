/* SPDX-License-Identifier: MIT
 *
 * What a consumer wants of one subscription beyond asking and handling at once: to pause it,
 * to leave it, a rate, batches of a size. Made when it is first wanted; a subscription without one
 * costs a test of a NULL pointer.
 *
 * A flow that is shut lets nothing pass to handle_events: messages of its subscription are
 * held, in order, whatever they are (events, notifications, the end). A consumer holds what it
 * takes from its mailbox, a producer_consumer what it takes from its input queue; when the flow
 * opens they go back to the head of where they came from. */
#ifndef SH_FLOW_H
#define SH_FLOW_H

#include "stage/message.h"

struct sh__flow {
    struct sh__flow *next; /* in consumer->flows */
    sh_subscription *sub;  /* a reference */
    bool is_paused;
    bool is_parting;           /* it has unsubscribed: asks for nothing more */
    bool is_throttled;         /* its rate allows no more now */
    int64_t unasked;           /* earned while it was paused */
    struct sh__mailbox held;   /* not empty only while it is shut */
    struct sh__rate *rate;     /* NULL: none */
    uint64_t rate_timer;       /* runs while it is throttled */
    struct sh__gather *gather; /* NULL: batches as they come */
    int64_t deliveries;        /* the most of what is gathered */
    uint64_t timeout_ms;       /* of a batch */
    uint64_t batch_timer;      /* 0: none runs */
    uint64_t begun_ns;         /* when the first event of what is gathered came */
};

enum sh__steer { SH__STEER_PAUSE, SH__STEER_RESUME, SH__STEER_UNSUBSCRIBE };

/* EVENTS whose events have been received already: message->what. */
enum { SH__RECEIVED = 1 };

/* STEER has arrived at the consumer; takes the message. */
void sh__flow_steer(sh_stage *stage, struct sh__message *message);
/* Gives a new subscription the flow that its options want. SH_ENOMEM. */
int sh__flow_start(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts);
/* See sh_subscription_unsubscribe; the subscription is open. */
void sh__flow_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason);
/* Whether the message belongs to a subscription whose flow is shut: it has to be held. */
bool sh__flow_is_shut(const struct sh__message *message);
void sh__flow_hold(struct sh__message *message);
/* A message of a subscription with a flow has come from the mailbox; true: it was held, or is
 * being handled. */
bool sh__flow_takes(sh_stage *stage, struct sh__message *message);
/* How many events of what is being fed handle_events is given next, where `usual` is what it would be
 * without a flow; 0: none now, nothing is being fed any more. */
int64_t sh__flow_limit(sh_stage *stage, struct sh__flow *flow, int64_t usual);
/* A timer of a flow has fired. */
void sh__flow_wake(sh_stage *stage, uint64_t timer);
/* Whether an ask may be sent; if not, the flow keeps it. */
bool sh__flow_may_ask(struct sh__flow *flow, int64_t n);
/* The end of its subscription is being handled: frees the flow. */
void sh__flow_close(sh_stage *stage, sh_subscription *sub);

/* All flows of a stage. */
/* The stage ends in order, or the host drains: nothing is paused, and partial batches go on. */
void sh__flows_resume(sh_stage *stage);
bool sh__flows_hold_any(const sh_stage *stage);
bool sh__flows_gather_any(const sh_stage *stage);
uint64_t sh__flows_held_events(const sh_stage *stage);
void sh__flows_free(sh_stage *stage);

/* flow_limits.c: rate and batch -------------------------------------------------------- */
int sh__flow_set_limits(struct sh__flow *flow, const sh_subscribe_opts *opts);
void sh__flow_drop_limits(sh_stage *stage, struct sh__flow *flow);
/* A message is about to be handled and its flow gathers; true: it was taken. */
bool sh__flow_gathers(sh_stage *stage, struct sh__flow *flow, struct sh__message *message);
/* Lets go of all that is gathered, unless the flow is shut. */
void sh__flow_flush(sh_stage *stage, struct sh__flow *flow);
/* Sees to it that what is gathered does not wait for too long. */
void sh__flow_wait_for_batch(sh_stage *stage, struct sh__flow *flow);

/* flow.c, for flow_limits.c */
void sh__flow_hold_feed(sh_stage *stage, struct sh__flow *flow);
void sh__flow_open(sh_stage *stage, struct sh__flow *flow);

static inline bool sh__flow_shuts(const struct sh__flow *flow)
{
    return flow->is_paused || flow->is_throttled;
}

#endif

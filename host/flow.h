/* SPDX-License-Identifier: MIT
 *
 * What a consumer wants of one subscription beyond asking and handling at once: to pause it,
 * to leave it. Made when it is first wanted; a subscription without one costs a test of a
 * NULL pointer.
 *
 * A flow that is shut lets nothing pass to handle_events: messages of its subscription are
 * held, in order, whatever they are (events, notifications, the end). A consumer holds what it
 * takes from its mailbox, a producer_consumer what it takes from its input queue; when the flow
 * opens they go back to the head of where they came from. */
#ifndef SH_FLOW_H
#define SH_FLOW_H

#include "message.h"

struct sh__flow {
    struct sh__flow *next; /* in consumer->flows */
    sh_subscription *sub;  /* a reference */
    bool is_paused;
    bool is_parting;         /* it has unsubscribed: asks for nothing more */
    int64_t unasked;         /* earned while it was paused */
    struct sh__mailbox held; /* not empty only while it is shut */
};

enum sh__steer { SH__STEER_PAUSE, SH__STEER_RESUME, SH__STEER_UNSUBSCRIBE };

/* EVENTS whose events have been received already: message->what. */
enum { SH__RECEIVED = 1 };

/* STEER has arrived at the consumer; takes the message. */
void sh__flow_steer(sh_stage *stage, struct sh__message *message);
/* See sh_subscription_unsubscribe; the subscription is open. */
void sh__flow_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason);
/* Whether the message belongs to a subscription whose flow is shut: it has to be held. */
bool sh__flow_is_shut(const struct sh__message *message);
void sh__flow_hold(struct sh__message *message);
/* A message of a subscription with a flow has come from the mailbox; true: it was held, or is
 * being handled. */
bool sh__flow_takes(sh_stage *stage, struct sh__message *message);
/* Whether an ask may be sent; if not, the flow keeps it. */
bool sh__flow_may_ask(struct sh__flow *flow, int64_t n);
/* The end of its subscription is being handled: frees the flow. */
void sh__flow_close(sh_stage *stage, sh_subscription *sub);

/* All flows of a stage. */
void sh__flows_resume(sh_stage *stage);
bool sh__flows_hold_any(const sh_stage *stage);
uint64_t sh__flows_held_events(const sh_stage *stage);
void sh__flows_free(sh_stage *stage);

#endif

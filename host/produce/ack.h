/* SPDX-License-Identifier: MIT
 *
 * Acknowledgement: a subscription made with `ack` loses no events when its consumer dies.
 *
 *   producer                                consumer
 *   sends EVENTS, keeps a reference  ---->  handles a batch, and passes on its results
 *   drops the reference              <----  ASK or ACK: n events are handled
 *   returns the other events to the  <----  CONSUMER_DOWN, or the last ACK: it is done with this
 *   head of its buffer                      subscription; n events were given to a callback
 *
 * Each subscription ends with exactly one CONSUMER_DOWN or last ACK. The consumer of a cancelled
 * one still handles events sent before, and until then the producer waits for acknowledgements.
 * The consumer never counts lost events. If the producer has ended before, the events missing by
 * its records are counted when that last message is refused. */
#ifndef SH_ACK_H
#define SH_ACK_H

#include "events/unacked.h"
#include "stage/mailbox.h"

struct sh__producer;

/* One subscription, on its producer's worker: sub->out.ack. */
struct sh__ack {
    struct sh__ack *next, **link; /* in producer->acks; NULL: the producer has ended */
    sh_subscription *sub;         /* a reference while it is in that list */
    struct sh__unacked unacked;
    int64_t missing; /* the producer has ended: events not acknowledged */
    uint32_t max_deliver;
    void *place; /* where its dispatcher queues for this consumer, or NULL */
};

/* The producer's side ------------------------------------------------------------------ */
/* Called when the dispatcher has accepted the subscription. SH_ENOMEM. */
int sh__ack_open(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts);
/* Records events (borrowed) that are about to be sent. False: out of memory. */
bool sh__ack_sending(sh_subscription *sub, sh_batch events, uint32_t delivery);
/* Forgets the last n events: they could not be sent. */
void sh__ack_not_sent(sh_subscription *sub, uint32_t n);
/* Lets go of n events that the consumer has handled. */
void sh__ack_handled(sh_stage *stage, sh_subscription *sub, int64_t n);
/* Handles ACK; takes the message. */
void sh__ack_receive(sh_stage *stage, struct sh__message *message);
/* Called when the consumer is done with the subscription: returns unhandled events, or makes them
 * dead letters. `begun`: how many of these its callback was given; `error`: why it ended. */
void sh__ack_close(sh_stage *stage, sh_subscription *sub, int64_t begun,
                   const sh_error *error);
/* The number of events sent and not acknowledged, of all subscriptions. */
int64_t sh__acks_pending(const struct sh__producer *out);
/* Called when the producer has ended. */
void sh__acks_abandon(struct sh__producer *out);
/* Called for ASK, ACK or CONSUMER_DOWN to a producer that has ended. */
void sh__ack_refused(sh_worker *worker, const struct sh__message *message);

/* The consumer's side ------------------------------------------------------------------ */
/* Called when handle_events has returned and its results are passed on; an ask may follow, which
 * carries the acknowledgement. */
void sh__consumer_handled(sh_stage *stage, bool ask_follows);
/* Acknowledges the handled events that are not acknowledged yet. */
void sh__consumer_acknowledge(sh_stage *stage, sh_subscription *sub);
/* Sends the last ACK. */
void sh__consumer_last_ack(sh_stage *stage, sh_subscription *sub);
/* Called when the stage ends: sends last ACKs for subscriptions whose end waits in this queue. */
void sh__consumer_last_acks(sh_stage *stage, const struct sh__mailbox *box);

#endif

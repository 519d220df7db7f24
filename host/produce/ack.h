/* SPDX-License-Identifier: MIT
 *
 * Acknowledgement: a subscription made with `ack` loses no events when its consumer dies.
 *
 *   producer                                consumer
 *   sends EVENTS, keeps a reference  ---->  handles a batch: results are taken care of
 *   lets go of it                    <----  ASK or ACK: n events are handled
 *   gives the rest back to the head  <----  CONSUMER_DOWN, or the last ACK: it is through with
 *   of its buffer                           this subscription; so many were given to a callback
 *
 * Each subscription ends with exactly one CONSUMER_DOWN or last ACK. A cancelled one still handles
 * what was sent before: until then the producer waits for its acknowledgements. Who counts
 * what is lost: never the consumer. If the producer has ended before, what its records say is
 * missing is counted when that last message is refused. */
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
/* The dispatcher has accepted the subscription. SH_ENOMEM. */
int sh__ack_open(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts);
/* Events (borrowed) are about to be sent. False: out of memory. */
bool sh__ack_sending(sh_subscription *sub, sh_batch events, uint32_t delivery);
/* They could not be sent. */
void sh__ack_not_sent(sh_subscription *sub, uint32_t n);
/* The consumer has handled n events. */
void sh__ack_handled(sh_stage *stage, sh_subscription *sub, int64_t n);
/* ACK; takes the message. */
void sh__ack_receive(sh_stage *stage, struct sh__message *message);
/* The consumer is through: what it has not handled goes back, or to the dead letters.
 * `begun`: how many of these were given to its callback; why it ended. */
void sh__ack_close(sh_stage *stage, sh_subscription *sub, int64_t begun,
                   const sh_error *error);
/* Events sent and not acknowledged, of all subscriptions. */
int64_t sh__acks_pending(const struct sh__producer *out);
/* The producer has ended. */
void sh__acks_abandon(struct sh__producer *out);
/* ASK, ACK or CONSUMER_DOWN for a producer that has ended. */
void sh__ack_refused(sh_worker *worker, const struct sh__message *message);

/* The consumer's side ------------------------------------------------------------------ */
/* handle_events has returned, and its results are taken care of; an ask may follow, which
 * takes the acknowledgement along. */
void sh__consumer_handled(sh_stage *stage, bool ask_follows);
/* Sends what has not been told yet. */
void sh__consumer_acknowledge(sh_stage *stage, sh_subscription *sub);
/* Sends the last ACK. */
void sh__consumer_last_ack(sh_stage *stage, sh_subscription *sub);
/* The stage ends: last ACKs for subscriptions whose end waits in this queue. */
void sh__consumer_last_acks(sh_stage *stage, const struct sh__mailbox *box);

#endif

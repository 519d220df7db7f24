/* SPDX-License-Identifier: MIT
 *
 * The producer side of a stage: subscribers and their asks, the demand mode, polling. All functions
 * are for the stage's worker. */
#ifndef SH_PRODUCER_H
#define SH_PRODUCER_H

#include "dispatch/lane.h"
#include "events/buffer.h"
#include "produce/delivery.h"
#include "stage/stage.h"

struct sh__producer {
    struct sh__dispatch dispatch;
    struct sh__buffer buffer;
    const sh_dispatcher_ops *dispatcher;
    void *dispatcher_state;
    struct sh__lane *lane; /* NULL: the dispatcher has none, or a rate is around it */
    int64_t owed; /* demand on handle_demand (or upstream) not answered by events yet */
    bool has_had_consumers, discard_when_no_consumers;
    bool has_declined; /* a consumer has ended by its own will */
    uint32_t n_gone;   /* consumers that left otherwise and have not been replaced */
    bool is_accumulating;
    uint64_t dropped; /* events that the buffer dropped, and reported, since it is full */
    struct sh__accumulated *accumulated_head, *accumulated_tail;
    struct sh__accumulated *accumulated_older; /* the last item that came from the buffer */
    int64_t accumulated_events, accumulated_from_buffer;
    uint64_t polling_ms, polling_timer;
    struct sh__ack *acks;        /* of all subscriptions with acknowledgement */
    struct sh__combine *combine; /* NULL: events are dispatched as they are emitted */
};

/* A zeroed struct; NULL when out of memory. */
struct sh__producer *sh__producer_new(void);
/* Frees the struct with everything in it. */
void sh__producer_free(struct sh__producer *out);

/* Handles a message of the route PRODUCER on a stage that produces; takes it. */
void sh__producer_message(sh_stage *stage, struct sh__message *message);
/* Offers an ask for n > 0 from a stage of the same worker, without a message. Returns whether the
 * stage has taken it: it does if it is idle, and has nothing to send at once. */
bool sh__producer_offer_ask(sh_stage *stage, sh_subscription *sub, int64_t n);
/* Tells the dispatcher of the consumer once handle_subscribe has returned. Borrows the task. */
void sh__producer_subscribed(sh_stage *stage, struct sh__task *task);
enum sh__tell {
    SH__TELL_NOBODY,
    SH__TELL_CONSUMER, /* the consumer is sent CANCEL */
};
/* Cancels one consumer; takes `reason`. */
void sh__producer_cancel(sh_stage *stage, sh_subscription *sub, sh_ended how,
                         sh_error *reason, enum sh__tell tell);

/* Whether all its consumers have left by their own will. */
bool sh__producer_is_declined(const sh_stage *stage);
/* How many of its held events are declined: those whose consumers have all left by their own
 * will. */
uint64_t sh__producer_declined(const sh_stage *stage);

/* Changes the demand mode; accumulated items are replayed when it is "forward" again. */
void sh__producer_set_demand(sh_stage *stage, sh_demand_mode mode);
/* Handles the first accumulated item as if it came now. */
void sh__producer_replay(sh_stage *stage);
/* Calls handle_demand again every polling_interval while demand is owed. */
void sh__producer_start_polling(sh_stage *stage);

static inline int64_t sh__credit(const struct sh__producer *out)
{
    return out->lane ? sh__demand_credit(out->lane->credit)
                     : out->dispatcher->credit(out->dispatcher_state);
}

/* Whether the stage, about to end, hands all its events to a dispatcher that takes them without
 * credit: events after those of a missing consumer would never be asked for. */
static inline bool sh__is_emptying(const sh_stage *stage)
{
    if (!stage->is_draining && stage->phase != SH__PHASE_LEAVING)
        return false;
    const sh_dispatcher_queue_ops *queues = stage->out->dispatcher->queues;
    return queues && queues->takes_owed;
}

#endif

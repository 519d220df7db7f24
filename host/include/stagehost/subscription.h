/* SPDX-License-Identifier: MIT
 *
 * Subscriptions: what a consumer wants of a producer, and how it is changed and ended. */
#ifndef STAGEHOST_SUBSCRIPTION_H
#define STAGEHOST_SUBSCRIPTION_H

#include "stagehost/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- options --------------------------------------------------------------------------- */

/* Decides which events of a broadcast a consumer gets. Must not wait. */
typedef struct sh_selector {
    /* Sets *out (owned) to the chosen events in order. SH_EFAILED sets *error. */
    int (*select)(struct sh_selector *self, sh_worker *worker, sh_batch in, sh_batch *out,
                  sh_error **error);
    void (*free)(struct sh_selector *self);
} sh_selector;

enum { SH_MAX_DEMAND_DEFAULT = 1000, SH_MAX_DELIVER_DEFAULT = 5 };

struct sh_subscribe_opts {
    sh_stage *to;        /* the producer, or ... */
    const char *to_name; /* ... its name */
    int64_t max_demand;  /* >= 1; 0: the consumer's default, else the host's */
    int64_t min_demand;  /* 0 .. max_demand - 1; see has_min */
    bool has_min;        /* min_demand is given (and may be 0); else it is max_demand / 2 */
    sh_cancel cancel;
    const char *partition; /* partition dispatcher; a number as decimal text; NULL: none */
    /* The producer keeps the events it has sent until handle_events of this consumer has
     * returned (on a producer_consumer: until its results are dispatched or buffered). If the
     * consumer dies before, they go back to the head of the producer's buffer, in order, never
     * discarded, and are delivered again. Not with dispatchers that share events. */
    bool ack;
    /* With ack: after this many unacknowledged deliveries an event becomes a dead letter;
     * 0: SH_MAX_DELIVER_DEFAULT. */
    uint32_t max_deliver;
    /* Broadcast; set on the producer's worker in handle_subscribe; taken. */
    sh_selector *selector;
    uint32_t weight;  /* fair dispatcher: share of events; 0: 1; up to SH_WEIGHT_MAX */
    int32_t priority; /* fair dispatcher: higher ones are served first */
    /* Limits the events given to handle_events, on the consumer's side; at most max_demand events
     * wait there, the others upstream. A drain respects it. */
    sh_rate rate;
    /* handle_events is given exactly `size` events at a time, <= max_demand and <= rate.events
     * (instead of max_demand - min_demand). It gets fewer only `timeout_ms` after the first of
     * them came, and before a notification, the subscription's end, and a drain. Demand is
     * counted in events as usual; the consumer asks when less than a batch is outstanding.
     * size 0: no batches. */
    struct {
        int64_t size;
        uint64_t timeout_ms; /* >= 1 */
    } batch;
    /* The party on whose behalf the subscription is made, for sh_stage_part(); 0: it is the
     * consumer's own. Others are shared: if the consumer already has one to this producer and
     * partition, that one is made on behalf of one more party, and nothing else happens. */
    uint64_t via;
    sh_subscription *current; /* resubscribe: cancelled at the producer first */
    sh_error *current_reason; /* taken */
    sh_batch extra; /* every option as the user gave it, for handle_subscribe; taken */
};

/* -- subscribing ----------------------------------------------------------------------- */

/* Asks `consumer` to subscribe. `from` is answered SH_OK with the subscription (see
 * sh_subscription_of_reply) when the request is on its way, not when it was accepted; or
 * SH_EBADOPT / SH_ENOTCONSUMER. An unknown name with cancel permanent or transient ends the
 * consumer with noproc, as in GenStage 1.3. Takes the fields of `opts` marked as taken. */
int sh_stage_subscribe(sh_worker *worker, sh_stage *consumer, const sh_subscribe_opts *opts,
                       sh_from from, sh_error **error);
/* The subscription that the answer of sh_stage_subscribe carries: a new reference, or NULL. */
sh_subscription *sh_subscription_of_reply(sh_batch value);

/* -- the handle ------------------------------------------------------------------------ */

sh_subscription *sh_subscription_ref(sh_subscription *sub);     /* any thread */
void sh_subscription_unref(sh_subscription *sub);               /* any thread */
uint64_t sh_subscription_id(const sh_subscription *sub);        /* any thread */
sh_stage *sh_subscription_consumer(const sh_subscription *sub); /* borrowed; any thread */
sh_stage *sh_subscription_producer(const sh_subscription *sub); /* borrowed; any thread */
/* A slot for a binding's own object, one for each side. On the worker of that side. */
void **sh_subscription_slot(sh_subscription *sub, sh_role side);

/* -- run-time control ------------------------------------------------------------------ */

/* Asks the producer for n more events; for subscriptions in manual mode. 0 asks for nothing. The
 * demand that is asked for and not sent yet grows up to SH_DEMAND_MAX. SH_EINVAL: n < 0.
 * SH_ENOPROC: the producer was an unknown name. Any worker. */
int sh_subscription_ask(sh_worker *worker, sh_subscription *sub, int64_t n);
/* Asks the producer to cancel; both sides get handle_cancel. Takes `reason`. Any worker. */
int sh_subscription_cancel(sh_worker *worker, sh_subscription *sub, sh_error *reason);

/* Calls handle_notification of the consumer with `message` (taken) and this subscription, also
 * when it has ended: for a producer that has redirected the consumer. In turn with other
 * messages from the same sender. Any worker. SH_EFAILED with *error: it can't cross. */
int sh_subscription_tell(sh_worker *worker, sh_subscription *sub, sh_batch message,
                         sh_error **error);

/* Control on the consumer's side; any worker. These functions take effect when the request arrives
 * at the consumer, without waiting for its turn: at once when the consumer is on the caller's
 * worker. They do nothing to a subscription that has ended.
 *
 * pause: no more asks are sent, and the producer's events, notifications and end wait, in order,
 * until resume; the consumer's other subscriptions go on. Only events that were asked for before
 * can still come. A batch that handle_events has begun is handled. A consumer that ends
 * gracefully, and one that the host drains, resumes and can't be paused any more; events that
 * wait when it ends otherwise are counted like those of its mailbox. sh_subscription_ask is not
 * held back. */
int sh_subscription_pause(sh_worker *worker, sh_subscription *sub);
/* Handles what has waited first; asks that became due meanwhile are sent. */
int sh_subscription_resume(sh_worker *worker, sh_subscription *sub);
/* Leaves the producer; never ends the consumer, whatever the cancel mode. Resumes the subscription
 * and asks for no more; events sent before are still handled, then both sides get handle_cancel
 * with `reason` (taken). */
int sh_subscription_unsubscribe(sh_worker *worker, sh_subscription *sub, sh_error *reason);
/* Unsubscribes `consumer` from `producer` if the subscription was made on behalf of `via` alone, in
 * turn with other messages from the same sender. Takes `reason`. Any worker. */
int sh_stage_part(sh_worker *worker, sh_stage *consumer, sh_stage *producer, uint64_t via,
                  sh_error *reason);

/* -- counters -------------------------------------------------------------------------- */

typedef struct sh_subscription_stats {
    uint64_t events, messages, asks; /* seen on this side */
    int64_t outstanding;             /* asked for and not yet delivered */
    /* Of `events`: those that crossed between workers, the bytes that carried them, and the time
     * that it took to encode them, on the producer's side, or to decode them, on the other. */
    uint64_t crossed_events, crossed_bytes, encode_ns, decode_ns;
} sh_subscription_stats;

/* The counters of `side`. On that side's worker; zeros if the subscription is closed there. */
void sh_subscription_get_stats(const sh_subscription *sub, sh_role side,
                               sh_subscription_stats *out);
/* How many times the batch now in the consumer's handle_events has been delivered, this time
 * included: more than 1 when it is tried again (on_error) or delivered again (ack). 0 while the
 * consumer handles no batch of this subscription. On the consumer's worker. */
uint32_t sh_subscription_deliveries(const sh_subscription *sub);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT
 *
 * Dispatchers: how the events of a producer are spread over its consumers. */
#ifndef STAGEHOST_DISPATCHER_H
#define STAGEHOST_DISPATCHER_H

#include "stagehost/subscription.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- writing a dispatcher -------------------------------------------------------------- */

/* An in-band message on its way through buffer and partition queues. */
typedef struct sh_marker sh_marker;

/* Events that came back from a consumer that did not acknowledge them. */
typedef struct sh_returned {
    sh_batch events;   /* owned */
    uint32_t delivery; /* the number of their next delivery, from 1 */
} sh_returned;

/* Where a dispatcher puts its deliveries. It is given to the dispatcher's callbacks; its
 * functions may only be called from inside them. */
typedef struct sh_dispatch sh_dispatch;
struct sh_dispatch {
    sh_worker *worker;
    /* The delivery number of the events given to send(). A dispatcher sets it before it sends
     * returned events, and back to 0 (events that were never sent before) afterwards. */
    uint32_t delivery;
    /* dispatch: how many of the events answer demand already handed upstream. */
    int64_t owed;
    /* cancel: another consumer is expected in the place of this one. */
    bool expects_another;
    /* give_back: with is_paced at most `allowed` of the queue's events may be sent now, because
     * the producer has a rate; give_back is called again, with n 0, for the others. */
    bool is_paced;
    int64_t allowed;
    /* Sends events to one consumer as one message. Takes one reference of `batch`. */
    void (*send)(sh_dispatch *out, sh_subscription *to, sh_batch batch);
    /* Sends a notification marker to one consumer. Borrows. */
    void (*notify)(sh_dispatch *out, sh_subscription *to, sh_marker *marker);
    /* Every queue has let this marker pass. Takes it. */
    void (*release)(sh_dispatch *out, sh_marker *marker);
    /* Ends one subscription with an error (taken), after the current callback. */
    void (*fail)(sh_dispatch *out, sh_subscription *sub, sh_error *error);
    /* n events go to nobody. With error NULL that is intended; otherwise (error taken) they are
     * lost and counted as unfinished, and the first such error is logged. */
    void (*skip)(sh_dispatch *out, uint32_t n, sh_error *error);
    /* Like skip with an error, but with the events themselves: they become dead letters if the
     * producer has a dead-letter stage. Takes both. */
    void (*refuse)(sh_dispatch *out, sh_batch events, sh_error *error);
    /* n events were dropped because a queue of the dispatcher, of this size, is full. They are
     * counted and logged as if the queue were the stage's buffer. */
    void (*discard)(sh_dispatch *out, uint64_t n, int64_t size);
    /* n events were dropped because the consumers that they were for are gone. */
    void (*drop)(sh_dispatch *out, uint64_t n);
    /* ask: n is above the dispatcher's max_demand. The ask is granted nevertheless, and logged. */
    void (*warn)(sh_dispatch *out, sh_subscription *sub, int64_t n, int64_t max);
};

/* Options of subscriptions that only some dispatchers read. */
enum {
    SH_READS_PARTITION = 1,
    SH_READS_SELECTOR = 2,
    SH_READS_WEIGHT = 4,
    SH_READS_PRIORITY = 8,
    SH_READS_ALL = 15
};

typedef enum sh_held {
    SH_HELD_ALL,
    SH_HELD_EXPECTED, /* those for a subscriber that is present or has not come yet */
    SH_HELD_PRESENT,  /* those for a present subscriber */
} sh_held;

/* The further functions of a dispatcher that takes events into queues of its own. */
typedef struct sh_dispatcher_queue_ops {
    /* Number of events that dispatch() took and has not sent yet: all of them, or only those
     * that a consumer can still ask for. */
    int64_t (*held)(const void *state, sh_held which);
    /* Passes a marker on, now or after queued events; owns it until release().
     * SH_ENOMEM: nothing was passed on, and the marker is still the caller's. */
    int (*mark)(void *state, sh_marker *marker, sh_dispatch *out);
    /* Optional. Called when no consumer is subscribed and nothing is kept for later ones: drops
     * the events it holds except returned ones; markers pass. Returns the number dropped. */
    int64_t (*clear)(void *state, sh_dispatch *out);
    /* dispatch() takes owed events even without credit: a producer that ends then hands on all
     * it has to the queues. */
    bool takes_owed;
    /* Optional. The partition that a subscription takes, as sh_stage_each_demand reports it. */
    const char *(*partition_of)(const void *state, sh_subscription *sub);
    /* Optional, both or none. `place` returns the queue of a subscription's events; give_back
     * puts n parts at its head and sends what its consumers have already asked for (see
     * sh_dispatch.allowed). SH_ENOMEM: nothing was taken. */
    void *(*place)(const void *state, sh_subscription *sub);
    int (*give_back)(void *state, void *place, const sh_returned *parts, uint32_t n,
                     sh_dispatch *out);
} sh_dispatcher_queue_ops;

/* A dispatcher spreads a producer's events over its consumers. It is a pure state machine:
 * it neither waits nor calls libuv. Demand is kept by the core: after every callback it
 * sends buffered events as far as credit() allows, then asks handle_demand for the demand
 * that is still missing and not already owed. */
struct sh_dispatcher_ops {
    const char *name;
    size_t size; /* of its state, zeroed */
    /* SH_EBADOPT sets *error. */
    int (*init)(void *state, const void *opts, uint64_t seed, sh_error **error);
    void (*fini)(void *state); /* all subscriptions have been cancelled before */
    /* SH_EFAILED with *error refuses: that subscription alone is cancelled with it. */
    int (*subscribe)(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                     sh_error **error);
    /* Forgets `sub`; never sends to it again. */
    void (*cancel)(void *state, sh_subscription *sub, sh_dispatch *out);
    void (*ask)(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out);
    /* How many events dispatch() would take now, for any consumers. >= 0. */
    int64_t (*credit)(const void *state);
    /* Sends events from the head of `batch`; returns how many were taken: the core buffers the
     * rest. The batch stays the caller's (send slices or references of it).
     * A negative result with *error ends the producer. */
    int64_t (*dispatch)(void *state, sh_batch batch, sh_dispatch *out, sh_error **error);
    /* Every event goes to several consumers, so events can't be acknowledged. */
    bool shares_events;
    /* The options that subscribe() reads, SH_READS_*. A subscription that has another of these
     * options is refused: the option would mean nothing. */
    unsigned reads;
    /* NULL: dispatch() sends every event that it takes, and the core passes markers on. */
    const sh_dispatcher_queue_ops *queues;
};

/* The outstanding demand of one consumer is capped here, so that the sum over 131072 consumers
 * stays exact in a signed 64-bit number. Asking for more means "no limit": at ten million events
 * a second this lasts 81 days. */
#define SH_DEMAND_MAX ((int64_t)1 << 46)

/* How much of an ask for n >= 0 events counts on top of `demand`, 0 .. SH_DEMAND_MAX. The core
 * always adds demand through it, also before it passes an ask to a dispatcher. */
static inline int64_t sh_demand_room(int64_t demand, int64_t n)
{
    return n < SH_DEMAND_MAX - demand ? n : SH_DEMAND_MAX - demand;
}

/* A word for the dispatcher to keep its record of a subscription in. */
void **sh_subscription_dispatch_data(sh_subscription *sub);
bool sh_marker_is_notification(const sh_marker *marker);

/* -- the built-in dispatchers ---------------------------------------------------------- */

/* Largest demand first, like GenStage.DemandDispatcher; opts: sh_demand_opts or NULL. */
extern const sh_dispatcher_ops sh_dispatcher_demand;
typedef struct sh_demand_opts {
    int64_t max_demand; /* asks above it are logged; 0: the first ask's size */
    bool shuffle_demands_on_first_dispatch;
} sh_demand_opts;

/* Shares each dispatch out over all consumers that have asked: by priority, highest first, and
 * within a priority in proportion to weight, never more than was asked for (sh_subscribe_opts).
 * Each gets one message of consecutive events; later dispatches even out the rounding. No
 * opts. */
extern const sh_dispatcher_ops sh_dispatcher_fair;
enum { SH_WEIGHT_MAX = 1000000 };

/* Every event to every consumer at the pace of the slowest, like GenStage.BroadcastDispatcher. */
extern const sh_dispatcher_ops sh_dispatcher_broadcast;

/* A broadcast with a memory; opts: sh_replay_opts. A late subscriber first gets the last n
 * events that were broadcast before it came, through its selector, in order: they use up its
 * demand. Only then does its demand count for the broadcast, which waits for it until then, as
 * for any newcomer that has not asked. Notifications are not replayed. */
extern const sh_dispatcher_ops sh_dispatcher_replay;
typedef struct sh_replay_opts {
    int64_t n; /* >= 1 */
} sh_replay_opts;

/* Splits events by hash, like GenStage.PartitionDispatcher. A partition has one consumer, or a
 * group of them, where the largest demand goes first. Events that its consumers have not asked
 * for are queued for them and, once they have left, for their successors. Queued events count
 * against the demand of other partitions, so a partition without demand ends up holding up the
 * others; the first `limit` events of a partition do not count. Infos (sh_stage_info) wait for
 * queued events, but not for those of a partition that all consumers have left. */
extern const sh_dispatcher_ops sh_dispatcher_partition;
/* The arguments of a splitter, and its results, which are all zero before. */
typedef struct sh_split_job {
    sh_worker *worker;
    sh_batch in;    /* borrowed */
    uint32_t limit; /* it stops when this many events went to a partition */
    size_t n_parts;
    sh_batch
        *parts;     /* [n_parts]: the events of each partition, in order; owned, or empty */
    uint32_t taken; /* events of `in` that are used up */
    uint32_t skipped; /* of these, to "none", or bad */
    uint32_t bad;     /* of these, with a bad answer */
    sh_batch refused; /* the bad events, in order; owned. Empty: they are only counted */
    sh_error *error;  /* the first bad answer, or the failure; owned */
} sh_split_job;
typedef struct sh_splitter {
    /* Distributes events from the head of job->in over the partitions. Must not wait. Returns
     * SH_OK, or SH_EFAILED with job->error, and nothing else to be freed, when nothing could
     * be done at all. */
    int (*split)(struct sh_splitter *self, sh_split_job *job);
    void (*free)(struct sh_splitter *self);
} sh_splitter;
/* Spreads C values over the partitions by value: sh_hash_place(sh_hash_value(event), n). Other
 * lists are refused with the name "hash_required". NULL when out of memory. For one
 * producer. */
sh_splitter *sh_splitter_default(void);
typedef struct sh_partition_opts {
    const char *const *names; /* partition names in order, "0".."n-1" for a count */
    size_t n;
    /* Taken, also when the start is refused; NULL: sh_splitter_default(). */
    sh_splitter *splitter;
    bool groups;   /* a partition may have several consumers */
    int64_t limit; /* events that may be queued for a partition without holding up others */
    bool discards; /* what is above the limit is discarded instead of holding up others */
    sh_keep keep;  /* which events are kept then */
    /* What is queued for a partition when its last consumer leaves, and what comes for it until
     * there is another one, is discarded. */
    bool discards_abandoned;
} sh_partition_opts;

#ifdef __cplusplus
}
#endif
#endif

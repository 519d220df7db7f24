/* SPDX-License-Identifier: MIT
 *
 * One partition of the partition dispatcher: who takes its events, and the queue of those
 * that nobody has asked for yet. It has demand or a queue, never both, unless a rate
 * holds up what came back. The queue belongs to the partition: it waits there for the next
 * consumer. */
#ifndef SH_PARTITION_QUEUE_H
#define SH_PARTITION_QUEUE_H

#include "base/list.h"
#include "events/buffer.h"

/* A consumer of a partition; what a subscription keeps for its dispatcher. */
struct sh__member {
    struct sh__link link; /* in partition->members */
    struct sh__partition *partition;
    sh_subscription *sub;
    int64_t demand;
    uint64_t turn; /* of the last change of its demand */
};

struct sh__partition {
    char *name; /* owned */
    struct sh__link members;
    bool is_abandoned; /* its last member has left, and no other is expected */
    int64_t demand;    /* of all members */
    uint64_t turns;
    struct sh__buffer queue;
};

/* Copies the name. `size` of the queue as of a buffer. SH_ENOMEM: nothing to free. */
int sh__partition_init(struct sh__partition *partition, const char *name, int64_t size,
                       sh_keep keep);
void sh__partition_fini(struct sh__partition *partition);

/* NULL when out of memory. */
struct sh__member *sh__partition_join(struct sh__partition *partition,
                                      sh_subscription *sub);
/* Frees it; its demand is gone with it. */
void sh__partition_leave(struct sh__member *member);

/* The last member has left, and no other is expected. What is queued, and notifications among it,
 * wait for one all the same; infos wait for nobody: those that stand in the queue go on, and later
 * ones do not wait for it. */
void sh__partition_abandon(struct sh__partition *partition, sh_dispatch *out);
/* Drops what is queued, but for events that came back; markers go on. Returns how many events. */
int64_t sh__partition_drop(struct sh__partition *partition, sh_dispatch *out);

/* A member wants n more events: it gets what is queued, with the markers on the way, the
 * rest is demand. */
void sh__partition_ask(struct sh__member *member, int64_t n, sh_dispatch *out);

/* Events come back to the head of the queue; who has demand gets them at once. SH_ENOMEM:
 * nothing was taken. */
int sh__partition_give_back(struct sh__partition *partition, const sh_returned *parts,
                            uint32_t n, sh_dispatch *out);

/* Sends what was asked for, largest demand first, and queues the rest; takes `part`.
 * *discarded: events that the size of the queue cost. SH_ENOMEM: what was to be queued is
 * lost. */
int sh__partition_deliver(struct sh__partition *partition, sh_batch part, sh_dispatch *out,
                          uint64_t *discarded);

/* Makes sure that the next mark needs no memory. */
int sh__partition_reserve_mark(struct sh__partition *partition);
/* Puts a marker behind what is queued and counts it there (marker->pending), but for an info in a
 * partition that is abandoned; with nothing queued a notification goes to all members at once.
 * Memory is reserved. */
void sh__partition_mark(struct sh__partition *partition, sh_marker *marker,
                        sh_dispatch *out);

#endif

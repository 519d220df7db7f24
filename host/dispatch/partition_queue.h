/* SPDX-License-Identifier: MIT
 *
 * One partition of the partition dispatcher: the consumers of its events, and the queue of events
 * that none of them has asked for yet. It has demand or a queue, never both, unless a rate
 * holds up returned events. The queue belongs to the partition, where it waits for the next
 * consumer. */
#ifndef SH_PARTITION_QUEUE_H
#define SH_PARTITION_QUEUE_H

#include "base/list.h"
#include "events/buffer.h"

/* A consumer of a partition; the dispatcher's record of a subscription. */
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

/* Copies the name. `size` is that of the queue, as of a buffer. SH_ENOMEM: nothing to free. */
int sh__partition_init(struct sh__partition *partition, const char *name, int64_t size,
                       sh_keep keep);
void sh__partition_fini(struct sh__partition *partition);

/* NULL when out of memory. */
struct sh__member *sh__partition_join(struct sh__partition *partition,
                                      sh_subscription *sub);
/* Frees a member, and removes its demand. */
void sh__partition_leave(struct sh__member *member);

/* Called when the last member has left, and no other is expected. Queued events and notifications
 * still wait for one; infos do not wait: those in the queue go on, and later ones do not enter
 * it. */
void sh__partition_abandon(struct sh__partition *partition, sh_dispatch *out);
/* Drops the queued events except those that came back; markers go on. Returns their number. */
int64_t sh__partition_drop(struct sh__partition *partition, sh_dispatch *out);

/* Called when a member wants n more events: it gets queued events, with the markers on the way;
 * the rest of n becomes demand. */
void sh__partition_ask(struct sh__member *member, int64_t n, sh_dispatch *out);

/* Puts events that came back at the head of the queue; members with demand get them at once.
 * SH_ENOMEM: nothing was taken. */
int sh__partition_give_back(struct sh__partition *partition, const sh_returned *parts,
                            uint32_t n, sh_dispatch *out);

/* Sends as many events as were asked for, largest demand first, and queues the rest; takes `part`.
 * *discarded: the number of events for which the queue had no room. SH_ENOMEM: the events to be
 * queued are lost. */
int sh__partition_deliver(struct sh__partition *partition, sh_batch part, sh_dispatch *out,
                          uint64_t *discarded);

/* Makes sure that the next mark needs no memory. */
int sh__partition_reserve_mark(struct sh__partition *partition);
/* Puts a marker after the queued events and counts it there (marker->pending), except an info in a
 * partition that is abandoned; if nothing is queued a notification goes to all members at once.
 * Memory is reserved. */
void sh__partition_mark(struct sh__partition *partition, sh_marker *marker,
                        sh_dispatch *out);

#endif

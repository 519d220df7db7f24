/* SPDX-License-Identifier: MIT
 *
 * The events that a producer has sent to one subscription and the consumer has not acknowledged:
 * ranges of lists in the order in which they were sent, each with the number of its delivery. A
 * pure part: no libuv, no stage. */
#ifndef SH_UNACKED_H
#define SH_UNACKED_H

#include "stagehost/dispatcher.h"

struct sh__unacked {
    sh_returned *parts; /* the first is at `head`; there is always room after the last */
    uint32_t head, length, capacity;
    int64_t events;
};

/* Drops all events. All zero is empty. */
void sh__unacked_fini(struct sh__unacked *unacked);
/* Adds events after all others; takes `events`. SH_ENOMEM: they are still the caller's. */
int sh__unacked_push(struct sh__unacked *unacked, sh_batch events, uint32_t delivery);
/* Removes the n events that were added last, because they were not sent after all. */
void sh__unacked_drop_newest(struct sh__unacked *unacked, int64_t n);
/* Removes the oldest n events, which have been handled. Returns how many there were: at most n. */
int64_t sh__unacked_drop_oldest(struct sh__unacked *unacked, int64_t n);
/* Empties it: *parts points to *n parts, which are the caller's, valid until the next push,
 * each with the number of its next delivery: the oldest `begun` events were given to a
 * callback, the later ones never got there. */
void sh__unacked_take(struct sh__unacked *unacked, int64_t begun, sh_returned **parts,
                      uint32_t *n);

#endif

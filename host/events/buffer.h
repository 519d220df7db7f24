/* SPDX-License-Identifier: MIT
 *
 * The buffer of a producer side: events that no consumer has asked for yet, with the markers
 * between them. A pure state machine: no libuv, no stage. It holds ranges of lists, so storing
 * and taking cost per range, not per event. Markers are never counted and never lost: a marker
 * leaves as soon as the event before it has been taken or dropped. */
#ifndef SH_BUFFER_H
#define SH_BUFFER_H

#include "events/marker.h"

/* One entry: a range of events, or a marker (then batch.n is 0). Events that were sent before
 * and came back (delivery > 0, the number of their next delivery) are before all others;
 * they do not count against the size, and are never discarded. */
struct sh__entry {
    sh_batch batch;
    union {
        sh_marker *marker;
        uint64_t delivery;
    } u;
};

struct sh__buffer {
    struct sh__entry *ring; /* capacity is a power of two, or NULL while unused */
    uint32_t capacity, head, length;
    int64_t size; /* most events it may hold; SH_BUFFER_INFINITY: no limit */
    sh_keep keep;
    int64_t count;   /* events in it */
    sh_batch *taken; /* scratch of sh__buffer_take */
    uint32_t taken_capacity;
    uint32_t taken_delivery; /* of the events taken last */
};

/* `size` >= 0 or SH_BUFFER_INFINITY. Allocates nothing. */
void sh__buffer_init(struct sh__buffer *buffer, int64_t size, sh_keep keep);
/* Drops all events and markers. */
void sh__buffer_fini(struct sh__buffer *buffer);

/* Appends events; takes `batch`. If the buffer would hold more than `size`, keep first drops
 * the newest of the new events, keep last the oldest events; *discarded is their number.
 * Markers that this sets free are appended to `released`, in order. SH_ENOMEM: nothing was
 * stored. */
int sh__buffer_store(struct sh__buffer *buffer, sh_batch batch,
                     struct sh__markers *released, uint64_t *discarded);
/* Puts events back at the head, whatever the size; takes `batch`. SH_ENOMEM: they are
 * dropped. */
int sh__buffer_put_back(struct sh__buffer *buffer, sh_batch batch);
/* Like sh__buffer_put_back, for events that came back; `delivery` numbers their next delivery. */
int sh__buffer_return(struct sh__buffer *buffer, sh_batch batch, uint32_t delivery);
/* Makes sure that the next n entries need no memory. SH_ENOMEM: nothing has changed. */
int sh__buffer_reserve(struct sh__buffer *buffer, uint32_t n);
/* Puts markers back before the first event, in order; takes them. The events they followed
 * may be put back next; else the next take finds the markers at the head. SH_ENOMEM: they
 * are still the caller's. */
int sh__buffer_put_back_markers(struct sh__buffer *buffer, struct sh__markers *markers);
/* Puts a marker after the newest event; takes it. SH_ESTATE (marker still the caller's)
 * when there is no event: it may go on at once. SH_ENOMEM: still the caller's. */
int sh__buffer_mark(struct sh__buffer *buffer, sh_marker *marker);

/* Takes up to n events from the head, stopping early after an event that markers follow.
 * Returns how many events; *parts points to *n_parts owned ranges in order (valid until the
 * next call), all of one delivery (taken_delivery). The markers that follow the last taken event
 * are appended to `released`. Markers at the head come alone, with 0 events; otherwise 0 means
 * that the buffer is empty. Without memory for its scratch it stops early too, so callers repeat
 * the call until they have n. */
int64_t sh__buffer_take(struct sh__buffer *buffer, int64_t n, sh_batch **parts,
                        uint32_t *n_parts, struct sh__markers *released);

/* Takes out all markers, or all except notifications, and appends them to `released`, in
 * order. */
void sh__buffer_take_markers(struct sh__buffer *buffer, struct sh__markers *released);
void sh__buffer_take_infos(struct sh__buffer *buffer, struct sh__markers *released);
/* Drops all events except those that came back, which sets the markers after them free; returns
 * the number dropped. */
int64_t sh__buffer_clear(struct sh__buffer *buffer, struct sh__markers *released);

#endif

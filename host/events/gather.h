/* SPDX-License-Identifier: MIT
 *
 * Events on their way to a handle_events that wants batches of a size: ranges are collected until
 * there are enough events. A pure state machine; it uses neither clocks nor stages. */
#ifndef SH_GATHER_H
#define SH_GATHER_H

#include "stagehost/events.h"

struct sh__gather {
    int64_t size;
    int64_t n; /* events in it */
    sh_batch *parts;
    uint32_t n_parts, capacity;
};

void sh__gather_init(struct sh__gather *gather, int64_t size);
/* Drops all events. */
void sh__gather_fini(struct sh__gather *gather);
/* Appends events; takes `batch`. SH_ENOMEM: it is still the caller's. */
int sh__gather_add(struct sh__gather *gather, sh_batch batch);
/* The number of events that can leave it in whole batches. */
int64_t sh__gather_whole(const struct sh__gather *gather);
/* Takes the oldest n events (1 .. gather->n) as one owned batch; fewer if lists of different
 * kinds meet. SH_ENOMEM: nothing was taken. */
int sh__gather_take(struct sh__gather *gather, sh_worker *worker, int64_t n, sh_batch *out);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What crosses between workers: counted in the halves of subscriptions, and summed up by the names
 * of their stages when these end, for the report of the host. */
#ifndef SH_TRAFFIC_H
#define SH_TRAFFIC_H

#include "stage/stage.h"

/* The stages that events went from and to. */
struct sh__route_sum {
    struct sh__route_sum *next;
    uint64_t events, bytes;
    uint64_t encode_ticks, decode_ticks;
    const char *consumer;
    char producer[]; /* and then the name of the consumer */
};

/* Stages of one name that have sent events to another worker, or got events from there. */
struct sh__traveller {
    struct sh__traveller *next;
    uint64_t callback_ticks;
    char name[];
};

/* Adds events that were encoded, or decoded, since `began` (ticks). The time since the last reading
 * of the clock is that of callbacks; this time is taken out of it. */
static inline void sh__traffic_add(sh_worker *worker, struct sh__traffic *traffic,
                                   const struct sh__crossing *crossing, uint64_t began)
{
    for (; crossing; crossing = crossing->next) {
        traffic->events += crossing->n;
        traffic->bytes += crossing->parcel.len;
    }
    uint64_t took = sh__ticks() - began;
    traffic->ticks += took;
    worker->ticks += took;
}

/* Adds what a half that ends has counted to the sums of its worker. On the worker of that half. */
void sh__traffic_end_out(const sh_subscription *sub);
void sh__traffic_end_in(const sh_subscription *sub);
/* Adds the time that a stage which ends has spent in callbacks, if it had events that crossed.
 * Called after the end of its subscriptions. */
void sh__traffic_end_stage(const sh_stage *stage);
/* Frees the sums of a worker. */
void sh__traffic_free(sh_worker *worker);

#endif

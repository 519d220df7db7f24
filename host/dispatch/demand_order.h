/* SPDX-License-Identifier: MIT
 *
 * Consumers ordered by demand: the largest first, and among equals the one that has waited
 * longest. Nearly all demands are small numbers, so there is one queue for each of these, and
 * every operation costs the same for two consumers and for 10,000; larger demands are in a
 * heap. */
#ifndef SH_DEMAND_ORDER_H
#define SH_DEMAND_ORDER_H

#include <stdint.h>

#include "base/list.h"

enum { SH__DEMAND_QUEUES = 1024 }; /* for demands below this */

/* A consumer's place; part of the consumer. */
struct sh__demand_place {
    struct sh__link link;
    int64_t demand;
    uint64_t turn;  /* places of equal demand: the lower one is first */
    uint32_t index; /* in the heap */
};

struct sh__demand_order {
    struct sh__link *queues; /* NULL: no room was ever reserved */
    /* a bit for each queue that is not empty, and a bit for each word of these */
    uint64_t filled[SH__DEMAND_QUEUES / 64], filled_words;
    struct sh__demand_place **heap;
    uint32_t n_heap, capacity; /* of the heap: all places may get there */
    uint64_t turns;
};

/* Makes room for n places. False: out of memory, nothing has changed. */
bool sh__demand_order_reserve(struct sh__demand_order *order, uint32_t n);
void sh__demand_order_free(struct sh__demand_order *order);

/* Adds a place after all of the same demand. There must be room; place->demand is set. */
void sh__demand_order_add(struct sh__demand_order *order, struct sh__demand_place *place);
void sh__demand_order_remove(struct sh__demand_order *order,
                             struct sh__demand_place *place);
/* The place with the highest demand; there must be one. */
struct sh__demand_place *sh__demand_order_first(const struct sh__demand_order *order);

/* Sets the demand of a place, which may be the same again: it goes after all that have it. */
static inline void sh__demand_order_change(struct sh__demand_order *order,
                                           struct sh__demand_place *place, int64_t demand)
{
    sh__demand_order_remove(order, place);
    place->demand = demand;
    sh__demand_order_add(order, place);
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * The part of the demand dispatcher's state that lets the core handle the frequent case without
 * calling it: one consumer, which gets what it has asked for. The functions of the dispatcher do
 * the same. */
#ifndef SH_LANE_H
#define SH_LANE_H

#include "dispatch/dispatch.h"

struct sh__lane {
    sh_subscription *sub; /* the only consumer; NULL: there are none or several */
    uint64_t credit;      /* the demand of all consumers */
    int64_t max_demand;   /* an ask for more is logged; 0: the first ask sets it */
};

/* The lane of a demand dispatcher. */
static inline struct sh__lane *sh__demand_lane(void *state)
{
    return state;
}

/* Whether the lane can take an ask of the subscription: it is the only one, and the ask is neither
 * to be logged nor to be cut, which is left to the dispatcher. */
static inline bool sh__lane_takes_ask(const struct sh__lane *lane,
                                      const sh_subscription *sub, int64_t n)
{
    return lane->sub == sub && n <= lane->max_demand &&
           lane->credit <= (uint64_t)(SH_DEMAND_MAX - n);
}

#endif

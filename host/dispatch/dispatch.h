/* SPDX-License-Identifier: MIT
 *
 * Functions that the dispatchers share. */
#ifndef SH_DISPATCH_H
#define SH_DISPATCH_H

#include "base/compiler.h"
#include "events/batch.h"
#include "stagehost/dispatcher.h"

/* A sum of demands as the result of credit(). */
static inline int64_t sh__demand_credit(uint64_t sum)
{
    return sum < INT64_MAX ? (int64_t)sum : INT64_MAX;
}

/* Adds n >= 0 to a counter of demand, which stays at the largest number once it reaches it. */
static inline void sh__demand_count(uint64_t *counter, int64_t n)
{
    uint64_t room = UINT64_MAX - *counter;
    *counter += (uint64_t)n < room ? (uint64_t)n : room;
}

/* An owned batch of n > 0 events at `first`. */
static inline sh_batch sh__batch_part(sh_batch batch, uint32_t first, uint32_t n)
{
    return sh__batch_ref((sh_batch){batch.list, batch.first + first, n});
}

static inline int sh__dispatch_enomem(sh_error **error)
{
    *error = sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, "out_of_memory",
                          "out of memory in the dispatcher");
    return SH_ENOMEM;
}

#endif

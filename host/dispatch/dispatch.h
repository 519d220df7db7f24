/* SPDX-License-Identifier: MIT
 *
 * What the dispatchers share. */
#ifndef SH_DISPATCH_H
#define SH_DISPATCH_H

#include "base/compiler.h"
#include "events/batch.h"
#include "stagehost/dispatcher.h"

/* Outstanding demand of one consumer is cut here, so that sums over all consumers stay
 * exact in 64 bits. Asking for more means "no limit": at ten million events a second this
 * is 81 days. */
#define SH__DEMAND_MAX ((int64_t)1 << 46)

/* How much of an ask for n more counts on top of `demand`. */
static inline int64_t sh__demand_room(int64_t demand, int64_t n)
{
    return n < SH__DEMAND_MAX - demand ? n : SH__DEMAND_MAX - demand;
}

/* A sum of demands as credit(). */
static inline int64_t sh__demand_credit(uint64_t sum)
{
    return sum < INT64_MAX ? (int64_t)sum : INT64_MAX;
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

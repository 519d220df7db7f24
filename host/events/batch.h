/* SPDX-License-Identifier: MIT
 *
 * Batches beyond the public header: inline counting, joining ranges. */
#ifndef SH_BATCH_H
#define SH_BATCH_H

#include "stagehost/events.h"

static inline sh_batch sh__batch_ref(sh_batch batch)
{
    if (batch.list)
        batch.list->refs++;
    return batch;
}

static inline void sh__batch_unref(sh_batch batch)
{
    if (batch.list && --batch.list->refs == 0)
        batch.list->ops->free(batch.list);
}

/* Called on a batch that is going to wait: lets it keep less memory alive. */
static inline void sh__batch_compact(sh_batch *batch)
{
    if (batch->list && batch->list->ops->compact)
        batch->list->ops->compact(batch);
}

/* Joins owned parts into one owned batch; takes all of them. Parts that follow one another
 * in the same list are joined without a copy. Lists of different kinds can't be joined: then
 * it joins only the leading parts of one kind, and *joined is their number (the others are
 * still the caller's). SH_ENOMEM drops nothing: all parts are still the caller's. */
int sh__batch_join(sh_worker *worker, const sh_batch *parts, uint32_t n_parts,
                   sh_batch *out, uint32_t *joined);

#endif

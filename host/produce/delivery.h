/* SPDX-License-Identifier: MIT
 *
 * What a dispatcher of a stage works with: the functions of its sh_dispatch. */
#ifndef SH_DELIVERY_H
#define SH_DELIVERY_H

#include "produce/refusals.h"
#include "stagehost/dispatcher.h"

struct sh__dispatch {
    sh_dispatch base;
    sh_stage *stage;
    struct sh__refusals refusals;
};

/* Sends events for the first time; takes `batch`. */
void sh__deliver_events(sh_stage *stage, sh_subscription *sub, sh_batch batch);
/* Fills in what the dispatcher of this stage may do. */
void sh__dispatch_init(struct sh__dispatch *out, sh_stage *stage);
/* Counts n events that were dropped because nobody is there to want them. */
void sh__discarded_no_consumers(sh_stage *stage, uint64_t n);
/* Counts n events that a buffer or queue (`what`) of that size had no room for, and logs them,
 * unless format_discarded says no. Returns what it says. */
bool sh__discard_full(sh_stage *stage, uint64_t n, const char *what, int64_t size);

#endif

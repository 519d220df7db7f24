/* SPDX-License-Identifier: MIT
 *
 * The functions that a stage gives its dispatcher in sh_dispatch. */
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
/* Fills in the functions for the dispatcher of this stage. */
void sh__dispatch_init(struct sh__dispatch *out, sh_stage *stage);
/* Counts n events that were dropped because the stage has no consumers. */
void sh__discarded_no_consumers(sh_stage *stage, uint64_t n);
/* Counts n events that a buffer or queue (`what`) of that size had no room for, and logs them
 * unless format_discarded forbids it. Returns the answer of format_discarded. */
bool sh__discard_full(sh_stage *stage, uint64_t n, const char *what, int64_t size);

#endif

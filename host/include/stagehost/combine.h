/* SPDX-License-Identifier: MIT
 *
 * Partial reductions of what a stage emits: the option `combine` of stages. */
#ifndef STAGEHOST_COMBINE_H
#define STAGEHOST_COMBINE_H

#include "stagehost/events.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A partial reduction of the events that a stage emits: they go into an accumulator, and only what
 * the accumulator yields is dispatched. All functions are called on the stage's worker, or on its
 * starter's if the stage is not started; they must not wait. After a failure the stage ends, and
 * none but `free` is called. */
typedef struct sh_combiner {
    /* Adds events (borrowed, at least one) to the accumulator. SH_OK, or SH_EFAILED with *error. */
    int (*add)(struct sh_combiner *self, sh_batch events, sh_error **error);
    /* Makes events of the accumulator, an owned batch or the empty one, and begins a new one.
     * Called only after add. SH_OK, or SH_EFAILED with *error. */
    int (*emit)(struct sh_combiner *self, sh_batch *out, sh_error **error);
    void (*free)(struct sh_combiner *self);
} sh_combiner;
/* The accumulator is emitted when it has `every` events, every_ms after the first of them, when the
 * stage ends gracefully, when a drain begins, and before notifications and infos that go in band.
 * Events that are added have answered the demand on handle_demand, or on upstream, and leave that
 * of the consumers as it is: so more is asked for until the consumers are served. Emitted events
 * answer no demand; those that no consumer has asked for are buffered. */
typedef struct sh_combine {
    sh_combiner *combiner; /* taken, also if the start is refused; NULL: none */
    int64_t every;         /* 0: SH_COMBINE_EVERY */
    uint64_t every_ms;     /* 0: no limit */
} sh_combine;
enum { SH_COMBINE_EVERY = 10000 };

#ifdef __cplusplus
}
#endif
#endif

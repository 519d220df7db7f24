/* SPDX-License-Identifier: MIT
 *
 * The option `combine`: events of a stage go through an accumulator before they are dispatched. All
 * functions are for the stage's worker, and for stages that produce. */
#ifndef SH_COMBINE_H
#define SH_COMBINE_H

#include "produce/emit.h"
#include "produce/producer.h"

struct sh__combine {
    sh_combiner *combiner;
    int64_t every;
    uint64_t every_ms;
    int64_t n;         /* events in the accumulator */
    uint64_t begun_ns; /* when the first of them came */
    bool has_timer;
    bool has_failed; /* the stage is about to end; events are only counted */
};

/* Takes the combiner of the options (NULL: none), and frees the one before. SH_ENOMEM. */
int sh__combine_configure(struct sh__producer *out, const sh_combine *opts);
void sh__combine_free(struct sh__producer *out);
/* Sets *error for a subscription with ack, which loses its meaning in a stage that combines.
 * Returns SH_EBADOPT. */
int sh__combine_refuse_ack(sh_error **error);

/* Gives events of a callback to the combiner, which there is; takes `batch`. */
void sh__combine_add(sh_stage *stage, sh_batch batch);
/* Emits what the accumulator holds. Returns an error, owned, that must end the stage, or NULL. */
sh_error *sh__combine_flush(sh_stage *stage);
/* Like sh__combine_flush, but ends the stage itself, after the current callback. For any stage. */
void sh__combine_flush_or_fail(sh_stage *stage);
/* The timer has fired: emits what the accumulator holds if it has waited long enough. */
void sh__combine_due(sh_stage *stage);

/* Emits events of a callback, directly or through the combiner; takes `batch`. */
static inline void sh__combine_emit(sh_stage *stage, sh_batch batch)
{
    if (sh__unlikely(stage->out->combine != NULL))
        sh__combine_add(stage, batch);
    else
        sh__emit(stage, batch);
}

/* Puts an in-band message after all events that came before it, as sh__mark does. */
static inline void sh__combine_mark(sh_stage *stage, sh_marker *marker)
{
    if (sh__unlikely(stage->out->combine != NULL))
        sh__combine_flush_or_fail(stage);
    sh__mark(stage, marker);
}

/* How many events are in the accumulator. */
static inline int64_t sh__combine_held(const struct sh__producer *out)
{
    return out->combine ? out->combine->n : 0;
}

#endif

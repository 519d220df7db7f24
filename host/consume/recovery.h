/* SPDX-License-Identifier: MIT
 *
 * How a stage handles batches that fail, and its counters of these and of dead letters
 * (dead_letter.h). Only a stage with such an option, or with something to count, has a struct
 * for it. */
#ifndef SH_RECOVERY_H
#define SH_RECOVERY_H

#include "stagehost/stage.h"

/* An event of the batch in `now` that could not be handled; owns its reason. */
struct sh__failed {
    uint32_t index;
    sh_error *reason;
};

struct sh__recovery {
    uint8_t on_error, after; /* enum sh_on_error */
    bool is_retrying;        /* the batch in `now` waits for its next try ... */
    bool is_due;             /* ... which it may have now */
    uint32_t times;
    uint32_t tries;     /* number of tries of the batch after the first one  */
    uint64_t failed_at; /* events_in at its first failure: which batch it is */
    int64_t delay_ms;
    double factor, jitter;
    uint64_t cap_ms;       /* 0: none */
    sh_stage *dead_letter; /* a reference, or NULL: not known (yet) */
    char *dead_letter_name;
    bool is_writer; /* dead_letter waits for this stage's end */
    uint64_t skipped, dead_lettered, redelivered;
    bool has_asked;            /* sh_stage_retry_in has set ... */
    uint64_t asked_ms;         /* ... the delay before the next try */
    struct sh__failed *failed; /* consume/failed.h */
    uint32_t n_failed, failed_capacity;
};

/* Whether these options fit the kind and one another. SH_EBADOPT with *error. */
int sh__recovery_check(const sh_stage_opts *opts, sh_error **error);
/* The struct of the stage, made if necessary; NULL when out of memory. */
struct sh__recovery *sh__recovery_of(sh_stage *stage);
/* Sets up the stage as the options want. SH_ENOMEM. */
int sh__recovery_configure(sh_stage *stage, const sh_stage_opts *opts);
/* Called when the stage has ended: frees everything except the counters. */
void sh__recovery_end(sh_stage *stage);
/* Handles a failed callback. True: it had a batch, which is dealt with; *r is then empty, as if
 * nothing had been returned, and if the stage is waiting the batch will be tried again. */
bool sh__recovery_try(sh_stage *stage, sh_result *r);
/* Counts and logs n events as skipped. */
void sh__recovery_skip(sh_stage *stage, uint32_t n, const sh_error *error);
/* Whether the next try is to be made now. */
bool sh__recovery_take_due(sh_stage *stage);
/* How many times the batch in `now` was tried again. */
uint32_t sh__recovery_tries(const sh_stage *stage);
/* Fills in the counters of this file. */
void sh__recovery_get_stats(const sh_stage *stage, sh_stage_stats *out);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What a stage does about batches that fail, and what it counts of that and of dead letters
 * (dead_letter.h). Only a stage that was given such an option, or that had something of it to
 * count, has a struct for it. */
#ifndef SH_RECOVERY_H
#define SH_RECOVERY_H

#include "stagehost/stage.h"

struct sh__recovery {
    uint8_t on_error, after; /* enum sh_on_error */
    bool is_retrying;        /* the batch in `now` waits for its next try ... */
    bool is_due;             /* ... which it may have now */
    uint32_t times;
    uint32_t tries;     /* that the batch has had after the first one        */
    uint64_t failed_at; /* events_in at its first failure: which batch it is */
    int64_t delay_ms;
    double factor;
    sh_stage *dead_letter; /* a reference, or NULL: not known (yet) */
    char *dead_letter_name;
    bool is_writer; /* dead_letter has been told to wait for this stage's end */
    uint64_t skipped, dead_lettered, redelivered;
};

/* Whether these options fit the kind and one another. SH_EBADOPT with *error. */
int sh__recovery_check(const sh_stage_opts *opts, sh_error **error);
/* Gives the stage what the options want. SH_ENOMEM. */
int sh__recovery_configure(sh_stage *stage, const sh_stage_opts *opts);
/* The stage has ended: only the counters stay. */
void sh__recovery_end(sh_stage *stage);
/* A callback has failed. True: it was a batch, and is dealt with; *r is empty then, as if
 * nothing had been returned, and if the stage is waiting the batch will have another try. */
bool sh__recovery_try(sh_stage *stage, sh_result *r);
/* Whether the next try is to be made now. */
bool sh__recovery_take_due(sh_stage *stage);
/* How often the batch in `now` was tried again. */
uint32_t sh__recovery_tries(const sh_stage *stage);
/* Fills in the counters that are kept here. */
void sh__recovery_get_stats(const sh_stage *stage, sh_stage_stats *out);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Events that the hash of a producer's dispatcher refuses, and no dead-letter stage takes. They are
 * lost: counted as unfinished, and logged, the first ones at once and the others as totals. */
#ifndef SH_REFUSALS_H
#define SH_REFUSALS_H

#include "stagehost/stage.h"

struct sh__refusals {
    uint64_t n;       /* events in all */
    uint64_t told;    /* of these, logged */
    uint64_t told_ns; /* the time of the last log line */
};

/* Counts n more events; `error` (borrowed) says why they were refused. */
void sh__refusals_count(sh_stage *stage, uint32_t n, const sh_error *error);
/* Logs the events that have not been logged when the stage ends. */
void sh__refusals_end(sh_stage *stage);

#endif

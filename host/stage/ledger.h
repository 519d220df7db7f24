/* SPDX-License-Identifier: MIT
 *
 * The ledger of a worker: events that were accepted but not handled. */
#ifndef SH_LEDGER_H
#define SH_LEDGER_H

#include "stagehost/stage.h"

/* Stages of one name that ended with unhandled events. */
struct sh__unfinished {
    struct sh__unfinished *next;
    uint64_t events;
    const char *where;
    char stage[];
};

/* Counts unhandled events of the stage; as declined if the host declines leftover events
 * (sh_host_decline). `where` appears in the report and must outlive the host. On the worker, which
 * need not be the stage's. */
void sh__worker_count_unfinished(sh_worker *worker, const sh_stage *stage, uint64_t events,
                                 const char *where);

/* Counts events that the stage held for consumers that have ended by their own will. On the
 * worker, which need not be the stage's. */
void sh__worker_count_declined(sh_worker *worker, sh_stage *stage, uint64_t events);
/* Counts events that were queued for a stage that chose to stop: in the sums they are declined if
 * it did so normally by its own will, or if the host declines leftover events; else discarded. On
 * the worker, as above. */
void sh__worker_count_stopped(sh_worker *worker, sh_stage *stage, uint64_t events);

#endif

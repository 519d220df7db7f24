/* SPDX-License-Identifier: MIT
 *
 * The agenda of a stage: what it has to do before it takes another message. All functions are
 * for the stage's worker. */
#ifndef SH_AGENDA_H
#define SH_AGENDA_H

#include "stage/stage.h"

/* Changes the phase; asserts that the table in agenda.c allows it. */
void sh__stage_set_phase(sh_stage *stage, enum sh__phase phase);

/* Puts a task on top of the agenda; takes what the task owns. Without memory for it the stage is
 * killed: it could not keep its promises any more. */
void sh__stage_push_task(sh_stage *stage, struct sh__task task);
/* Puts a task below all that is on the agenda; else like sh__stage_push_task. */
void sh__stage_push_task_last(sh_stage *stage, struct sh__task task);
/* Puts handle_demand(n), the frequent task, on top of the agenda. */
void sh__stage_push_demand(sh_stage *stage, int64_t n);
/* Has the stage end with `error` (taken), which says which rule of the engine it broke; it is
 * the next task. */
void sh__stage_fail(sh_stage *stage, sh_error *error);
/* Drops what a task owns. */
void sh__task_free(struct sh__task *task);

#endif

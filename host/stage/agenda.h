/* SPDX-License-Identifier: MIT
 *
 * The agenda of a stage: its tasks before it takes another message. All functions are for the
 * stage's worker. */
#ifndef SH_AGENDA_H
#define SH_AGENDA_H

#include "stage/stage.h"

/* Changes the phase; asserts that the table in agenda.c allows it. */
void sh__stage_set_phase(sh_stage *stage, enum sh__phase phase);

/* Puts a task on top of the agenda; takes the objects the task owns. Without memory the stage is
 * killed, as it could not keep its promises any more. */
void sh__stage_push_task(sh_stage *stage, struct sh__task task);
/* Like sh__stage_push_task, but at the bottom of the agenda. */
void sh__stage_push_task_last(sh_stage *stage, struct sh__task task);
/* Puts handle_demand(n), the frequent task, on top of the agenda. */
void sh__stage_push_demand(sh_stage *stage, int64_t n);
/* Makes it the next task to end the stage with `error` (taken), which says which rule of the engine
 * the stage broke. */
void sh__stage_fail(sh_stage *stage, sh_error *error);
/* Whether it is about to end with an error, after the current callback. */
bool sh__stage_is_failing(const sh_stage *stage);
/* Drops the objects a task owns. */
void sh__task_free(struct sh__task *task);

#endif

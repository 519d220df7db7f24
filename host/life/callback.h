/* SPDX-License-Identifier: MIT
 *
 * Running the callbacks of a stage. One function starts each callback; its result is acted on at
 * once or when sh_stage_complete is called. All functions are for the stage's worker. */
#ifndef SH_CALLBACK_H
#define SH_CALLBACK_H

#include "stage/stage.h"

void sh__callback_init(sh_stage *stage);
void sh__callback_demand(sh_stage *stage, int64_t n);
/* Calls handle_events again with the batch that has failed. */
void sh__callback_events_again(sh_stage *stage);
/* Calls handle_subscribe, handle_cancel or handle_end, as `callback` says; takes the objects that
 * the task owns. */
void sh__callback_task(sh_stage *stage, enum sh__callback callback, struct sh__task *task);
void sh__callback_terminate(sh_stage *stage);
/* Drops the contents of `now`. */
void sh__callback_forget(sh_stage *stage);

/* The parts of the functions above: `begin` starts the callback, then `now` is filled in and the C
 * function called, then `returned` acts on its result, unless it waits. */
void sh__callback_begin(sh_stage *stage, enum sh__callback callback);
void sh__callback_returned(sh_stage *stage, int status, sh_result *r);
/* "handle_events" and so on. */
const char *sh__callback_name(enum sh__callback callback);

#endif

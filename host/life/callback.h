/* SPDX-License-Identifier: MIT
 *
 * Running the callbacks of a stage. Each is started by one function, at once or when
 * sh_stage_complete is called its result is acted on. All are for the stage's worker. */
#ifndef SH_CALLBACK_H
#define SH_CALLBACK_H

#include "stage/stage.h"

void sh__callback_init(sh_stage *stage);
void sh__callback_demand(sh_stage *stage, int64_t n);
/* handle_events with the batch that has failed once more. */
void sh__callback_events_again(sh_stage *stage);
/* handle_subscribe, handle_cancel or handle_end, as `callback` says; takes what the task owns. */
void sh__callback_task(sh_stage *stage, enum sh__callback callback, struct sh__task *task);
void sh__callback_terminate(sh_stage *stage);
/* Drops what `now` holds. */
void sh__callback_forget(sh_stage *stage);

/* What the functions above are made of. The callback begins, `now` is filled in, the C function
 * is called, and it has returned: its result is acted on, unless it waits. */
void sh__callback_begin(sh_stage *stage, enum sh__callback callback);
void sh__callback_returned(sh_stage *stage, int status, sh_result *r);
/* "handle_events" and so on. */
const char *sh__callback_name(enum sh__callback callback);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Single events of a batch that handle_events could not handle (sh_stage_fail_event). */
#ifndef SH_FAILED_H
#define SH_FAILED_H

#include "stagehost/stage.h"

struct sh__recovery;

/* Called when a callback has returned with such events (stage->now.has_failed). Deals with them
 * as on_error says, or, if that concerns the whole batch, empties *r and puts the first reason
 * there. Returns the status of the callback from now on. */
int sh__failed_settle(sh_stage *stage, int status, sh_result *r);
/* Forgets them. */
void sh__failed_forget(struct sh__recovery *recovery);

#endif

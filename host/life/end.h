/* SPDX-License-Identifier: MIT
 *
 * The end of a stage. All functions are for the stage's worker. */
#ifndef SH_END_H
#define SH_END_H

#include "stagehost/subscription.h"

/* Ends a process whose callback sleeps, without waking it. */
void sh__stage_end_sleeping(sh_stage *stage);
/* An exit signal has come: ends the stage, giving up what its callback waits for. */
void sh__stage_end_by_signal(sh_stage *stage);
/* While LEAVING: ends the stage if nothing is left to hand on. */
void sh__stage_check_leaving(sh_stage *stage);
/* terminate has run (or is left out): takes everything down and tells the peers. */
void sh__stage_finish(sh_stage *stage);
/* Ends the stage with `reason` (taken) because somebody asked for it. With a normal one, those
 * who are there to take what it holds, or will come back for it, take that first. */
void sh__stage_end_asked(sh_stage *stage, sh_error *reason);
/* handle_end has returned: ends the stage with `reason` (taken). */
void sh__stage_end_told(sh_stage *stage, sh_error *reason);
/* A producer ends by its handle_subscribe: the subscriber is not to wait for what it holds.
 * Borrows `reason`. */
void sh__stage_turn_away(sh_stage *stage, sh_subscription *sub, sh_error *reason);

#endif

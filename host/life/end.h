/* SPDX-License-Identifier: MIT
 *
 * The end of a stage. All functions are for the stage's worker. */
#ifndef SH_END_H
#define SH_END_H

#include "stagehost/subscription.h"

/* Ends a process whose callback sleeps, without waking it. */
void sh__stage_end_sleeping(sh_stage *stage);
/* Ends the stage because of an exit signal, and abandons a callback that waits. */
void sh__stage_end_by_signal(sh_stage *stage);
/* While LEAVING: ends the stage if nothing is left to hand on. */
void sh__stage_check_leaving(sh_stage *stage);
/* Takes everything down and tells the peers, after terminate or without it. */
void sh__stage_finish(sh_stage *stage);
/* Ends the stage with `reason` (taken) because it was told to. With a normal reason it ends
 * gracefully if consumers are there to take the events it holds, or are expected. */
void sh__stage_end_asked(sh_stage *stage, sh_error *reason);
/* Ends the stage with `reason` (taken) after handle_end has returned. */
void sh__stage_end_told(sh_stage *stage, sh_error *reason);
/* Cancels a subscriber when the producer ends by its own handle_subscribe, so that the subscriber
 * does not wait for the events held. Borrows `reason`. */
void sh__stage_turn_away(sh_stage *stage, sh_subscription *sub, sh_error *reason);

#endif

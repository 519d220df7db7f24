/* SPDX-License-Identifier: MIT
 *
 * The beginning of a stage. All functions are for the stage's worker. */
#ifndef SH_START_H
#define SH_START_H

#include "stage/message.h"

/* Called when START has arrived: runs init, or ends the stage. Borrows the message. */
void sh__stage_begin(sh_stage *stage, struct sh__message *message);
/* Tells the starter that init and the first subscriptions are done. */
void sh__stage_started(sh_stage *stage);
/* The stage that waits for this start to finish, borrowed; NULL: no stage waits, or the start has
 * finished. */
sh_stage *sh__stage_find_asker(sh_stage *stage);
/* Drops data that was only kept for the start, which is over. */
void sh__stage_free_start(sh_stage *stage);

#endif

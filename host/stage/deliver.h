/* SPDX-License-Identifier: MIT
 *
 * The arrival of a message at its stage. */
#ifndef SH_DELIVER_H
#define SH_DELIVER_H

#include "stage/message.h"

/* Hands a message to a stage of this worker: queued in its mailbox, or acted on at once (REPLY,
 * KILL, STEER, signals); refused if the stage has ended. Takes it. */
void sh__stage_deliver(sh_stage *stage, struct sh__message *message);
/* Hands a running stage of this worker a message that it takes before all others; refused if it
 * has ended. Takes it. */
void sh__stage_deliver_ahead(sh_stage *stage, struct sh__message *message);

/* There is no memory for what the stage has to say or to remember: it could not keep its promises
 * any more. Ends it as KILL does, unless it has ended. On the stage's worker. */
void sh__stage_kill_oom(sh_stage *stage);

#endif

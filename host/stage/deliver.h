/* SPDX-License-Identifier: MIT
 *
 * The arrival of a message at its stage. */
#ifndef SH_DELIVER_H
#define SH_DELIVER_H

#include "stage/message.h"

/* Hands a message to a stage of this worker: queued in its mailbox, or acted on at once (REPLY,
 * KILL, STEER, signals); refused if the stage has ended. Takes it. */
void sh__stage_deliver(sh_stage *stage, struct sh__message *message);
/* Hands a running stage of this worker a message that the stage takes before all others; refused if
 * the stage has ended. Takes the message. */
void sh__stage_deliver_ahead(sh_stage *stage, struct sh__message *message);

/* Ends the stage as KILL does, unless it has ended: for want of memory to say or remember something
 * the stage could not keep its promises any more. On the stage's worker. */
void sh__stage_kill_oom(sh_stage *stage);

#endif

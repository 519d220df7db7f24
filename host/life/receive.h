/* SPDX-License-Identifier: MIT
 *
 * How a stage handles a message from its mailbox. */
#ifndef SH_RECEIVE_H
#define SH_RECEIVE_H

#include "stage/message.h"

/* Handles a message whose turn has come; takes it. On the stage's worker. */
void sh__stage_receive(sh_stage *stage, struct sh__message *message);

#endif

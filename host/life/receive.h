/* SPDX-License-Identifier: MIT
 *
 * What a stage does with a message that it takes from its mailbox. */
#ifndef SH_RECEIVE_H
#define SH_RECEIVE_H

#include "stage/message.h"

/* Acts on a message whose turn has come; takes it. On the stage's worker. */
void sh__stage_receive(sh_stage *stage, struct sh__message *message);

#endif

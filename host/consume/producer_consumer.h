/* SPDX-License-Identifier: MIT
 *
 * The input queue of a producer_consumer. */
#ifndef SH_PRODUCER_CONSUMER_H
#define SH_PRODUCER_CONSUMER_H

#include "stagehost/stage.h"

/* Takes one entry of the input queue if it may be taken now. Returns whether one was taken. */
bool sh__pump(sh_stage *stage);
/* Whether the stage has neither input nor a batch in progress that should be handled before it
 * ends. */
bool sh__pump_is_empty(const sh_stage *stage);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The turn of a stage. */
#ifndef SH_TURN_H
#define SH_TURN_H

#include "stagehost/stage.h"

/* Runs one turn, which is bounded. Returns whether there is more to do. On the stage's worker. */
bool sh__stage_turn(sh_stage *stage);

#endif

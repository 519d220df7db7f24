/* SPDX-License-Identifier: MIT
 *
 * Information about a stage. */
#ifndef SH_STATS_H
#define SH_STATS_H

#include "stagehost/stage.h"

/* Logs one line: phase, demand, queues, last error. On the stage's worker. */
void sh__stage_dump(sh_stage *stage);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What a stage tells about itself. */
#ifndef SH_STATS_H
#define SH_STATS_H

#include "stagehost/stage.h"

/* Logs one line: phase, demand, queues, last error. On the stage's worker. */
void sh__stage_dump(sh_stage *stage);

#endif

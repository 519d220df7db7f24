/* SPDX-License-Identifier: MIT
 *
 * The end of all that is alive in a host. */
#ifndef SH_DRAIN_H
#define SH_DRAIN_H

#include "stagehost/host.h"

/* Sees to it that a drain that was asked for begins, and ends in time. Worker 0. */
void sh__drain_limit(sh_host *host);
/* Closes what a drain has opened on worker 0's loop; runs the loop until it is closed. Worker 0. */
void sh__drain_close(sh_host *host);

#endif

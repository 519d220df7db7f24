/* SPDX-License-Identifier: MIT
 *
 * The end of all stages of a host. */
#ifndef SH_DRAIN_H
#define SH_DRAIN_H

#include "stagehost/host.h"

/* Makes a requested drain begin, and end in time. Worker 0. */
void sh__drain_limit(sh_host *host);
/* Closes the handles that a drain has opened on worker 0's loop, and runs it until they are closed.
 * Worker 0. */
void sh__drain_close(sh_host *host);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Those who wait for a stage of some name to be started. */
#ifndef SH_NAME_WAITERS_H
#define SH_NAME_WAITERS_H

#include "stagehost/stage.h"

/* A named stage has been started: whoever waits for its name is answered. Takes the host's lock. */
void sh__name_taken(sh_worker *worker, sh_stage *stage);
/* The host ends. */
void sh__name_waiters_free(sh_host *host);

#endif

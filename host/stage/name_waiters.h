/* SPDX-License-Identifier: MIT
 *
 * The stages that wait for a stage with some name to be started. */
#ifndef SH_NAME_WAITERS_H
#define SH_NAME_WAITERS_H

#include "stagehost/stage.h"

/* Answers the stages that wait for the name of a started stage. Takes the host's lock. */
void sh__name_taken(sh_worker *worker, sh_stage *stage);
/* Frees the waiters when the host ends. */
void sh__name_waiters_free(sh_host *host);

#endif

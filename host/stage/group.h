/* SPDX-License-Identifier: MIT
 *
 * Groups: stages that can be found by a common name. */
#ifndef SH_GROUP_H
#define SH_GROUP_H

#include "stagehost/stage.h"

/* Takes a stage that ends out of all of its groups. On its worker. */
void sh__group_leave_all(sh_stage *stage);
/* Frees the groups when the host ends. */
void sh__groups_free(sh_host *host);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Unique names of stages. Any thread. */
#ifndef SH_REGISTRY_H
#define SH_REGISTRY_H

#include "stagehost/stage.h"

/* Enters a stage, which has to be removed before it is freed. SH_EEXIST, SH_ENOMEM. Takes the
 * host's lock. */
int sh__registry_add(sh_host *host, const char *name, sh_stage *stage);
/* Removes the stage; does nothing when the name is not there, or is another stage's. Takes the
 * host's lock. */
void sh__registry_remove(sh_host *host, const char *name, const sh_stage *stage);
/* The stage with that name, borrowed; NULL: there is none. Under the host's lock. */
sh_stage *sh__registry_find(const sh_host *host, const char *name);
/* Frees the registry when the host ends. */
void sh__registry_free(sh_host *host);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A set of stages, by identity. Open addressing, at most half full. All zero is empty. */
#ifndef SH_STAGE_SET_H
#define SH_STAGE_SET_H

#include "stagehost/base.h"

struct sh__stage_set {
    sh_stage **slots; /* capacity is a power of two; NULL: free */
    uint32_t capacity, n;
};

void sh__stage_set_fini(struct sh__stage_set *set);
/* Adds a stage. SH_EEXIST if it is in the set already, SH_ENOMEM. */
int sh__stage_set_add(struct sh__stage_set *set, sh_stage *stage);
/* Removes a stage, which must be in the set. */
void sh__stage_set_remove(struct sh__stage_set *set, const sh_stage *stage);

#endif

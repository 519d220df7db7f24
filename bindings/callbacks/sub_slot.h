/* SPDX-License-Identifier: MIT
 *
 * Subscription objects as arguments of callbacks. */
#ifndef SHL_SUB_SLOT_H
#define SHL_SUB_SLOT_H

#include "state/lua_stage.h"

/* The slot of the object, 0 if there is none yet. `own`: this stage's side of the subscription. */
uint32_t shl_sub_slot_find(const struct shl_stage *s, sh_subscription *sub, sh_role own);
/* Pushes the object, and makes it if necessary. Raises. */
void shl_sub_slot_push(lua_State *L, struct shl_stage *s, sh_subscription *sub,
                       sh_role own);
/* Drops the object: no callback of the stage will get it any more. */
void shl_sub_slot_drop(struct shl_stage *s, sh_subscription *sub, sh_role own);

#endif

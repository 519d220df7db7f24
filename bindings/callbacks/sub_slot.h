/* SPDX-License-Identifier: MIT
 *
 * Subscription objects as arguments of callbacks. */
#ifndef SHL_SUB_SLOT_H
#define SHL_SUB_SLOT_H

#include "state/lua_stage.h"

/* The slot of the object, 0 if there is none yet. `own`: this stage's side of it. */
uint32_t shl_sub_slot_find(const struct shl_stage *s, sh_subscription *sub, sh_role own);
/* Pushes the object, made if need be. Raises. */
void shl_sub_slot_push(lua_State *L, struct shl_stage *s, sh_subscription *sub,
                       sh_role own);
/* The stage will not be told of this subscription any more. */
void shl_sub_slot_drop(struct shl_stage *s, sh_subscription *sub, sh_role own);

#endif

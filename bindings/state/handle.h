/* SPDX-License-Identifier: MIT
 *
 * Handles of stages and subscriptions. One userdata per C object and state (weak cache), so ==
 * compares identity. */
#ifndef SHL_HANDLE_H
#define SHL_HANDLE_H

#include "stagehost.h"
#include "state/type.h"

/* Their methods are in a higher room (objects/), and are added when the module is opened. */
extern const struct shl_type shl_stage_type, shl_subscription_type;

void shl_push_stage(lua_State *L, sh_stage *stage);
sh_stage *shl_check_stage(lua_State *L, int index);
sh_stage *shl_test_stage(lua_State *L, int index); /* NULL if the value is no stage */
void shl_push_subscription(lua_State *L, sh_subscription *sub);
sh_subscription *shl_check_subscription(lua_State *L, int index);
sh_subscription *shl_test_subscription(lua_State *L, int index);

/* Pushes a box for a new reference, released when the box is collected: so the reference is not
 * lost if an error is raised before its handle has been pushed. */
void **shl_push_stage_holder(lua_State *L);
void **shl_push_subscription_holder(lua_State *L);

#endif

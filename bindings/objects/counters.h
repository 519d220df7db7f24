/* SPDX-License-Identifier: MIT
 *
 * The counters of stages and subscriptions as tables. */
#ifndef SHL_COUNTERS_H
#define SHL_COUNTERS_H

#include <lua.h>

#include "stagehost.h"

/* Both push a new table, and raise when out of memory. On the worker of the stage, or of that side
 * of the subscription. */
void shl_push_stage_stats(lua_State *L, sh_stage *stage);
void shl_push_subscription_stats(lua_State *L, const sh_subscription *sub, sh_role side);

#endif

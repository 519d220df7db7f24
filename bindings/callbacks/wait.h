/* SPDX-License-Identifier: MIT
 *
 * Suspending the stage whose callback runs. */
#ifndef SHL_WAIT_H
#define SHL_WAIT_H

#include "state/lua_stage.h"

/* A fresh sh_from of the current stage for a request that this callback will wait for.
 * Raises when there is no current stage, when it runs a function that must not wait (selector,
 * hash, format_discarded, a dispatcher), or when a C function that can't be left is on the
 * stack (table.sort, string.gsub, require). */
sh_from shl_wait_begin(lua_State *L);
/* `return shl_wait(L, from, convert)`: suspends the stage until the answer to `from` comes. */
int shl_wait(lua_State *L, sh_from from, shl_convert convert);
/* shl_wait for an answer of the engine that is part of putting stages together: that of a start or
 * a subscription. */
int shl_wait_building(lua_State *L, sh_from from, shl_convert convert);

void shl_push_wait_token(lua_State *L);
bool shl_is_wait_token(lua_State *L, int index);

/* sleep, and the functions below lua/stagehost/await.lua */
extern const luaL_Reg shl_wait_functions[];

#endif

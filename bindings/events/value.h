/* SPDX-License-Identifier: MIT
 *
 * C values and Lua values. */
#ifndef SHL_VALUE_H
#define SHL_VALUE_H

#include <lua.h>

#include "stagehost.h"

/* Both raise; integers beyond 2^53 are boxed (int64_t cdata) in Lua. */
void shl_values_push(lua_State *L, sh_batch batch); /* pushes a list */
void shl_value_push(lua_State *L, const sh_value *value, sh_batch keep);
/* The events of the list at `index`, 1 .. n, as C values. */
int shl_values_take(lua_State *L, int index, uint32_t n, sh_batch *out);

#endif

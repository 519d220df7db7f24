/* SPDX-License-Identifier: MIT
 *
 * Numbers given by scripts, checked before they become C integers. */
#ifndef SHL_NUMBER_H
#define SHL_NUMBER_H

#include <lua.h>
#include <stdint.h>

/* Milliseconds, rounded up to whole ones: a number >= min, or a string with a unit ("250ms",
 * "10s", "5m", "1h"). Raises for any other value. */
uint64_t shl_check_ms(lua_State *L, int index, uint64_t min);
/* The longest time to wait, in ms; nil and math.huge: 0, for ever. */
uint64_t shl_check_limit(lua_State *L, int index);
/* An integer >= min. */
int64_t shl_check_count(lua_State *L, int index, int64_t min);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The bounds and defaults of options that lua/ has to know. */
#ifndef SHL_CONSTANTS_H
#define SHL_CONSTANTS_H

#include <lua.h>

/* Pushes the table that is core.constants. Raises when out of memory. */
void shl_constants_push(lua_State *L);

#endif

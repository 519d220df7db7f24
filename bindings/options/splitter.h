/* SPDX-License-Identifier: MIT
 *
 * A partition dispatcher's `hash`: a Lua function, the name of a field, or the default, which
 * hashes the events themselves. */
#ifndef SHL_SPLITTER_H
#define SHL_SPLITTER_H

#include <lua.h>

#include "stagehost.h"

/* Makes a splitter for the list of partition names at `names_index` and the function or string at
 * `hash_index` (nil: the default). Raises when out of memory. */
sh_splitter *shl_splitter_new(lua_State *L, int names_index, int hash_index);

#endif

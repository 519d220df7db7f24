/* SPDX-License-Identifier: MIT
 *
 * How require finds modules. */
#ifndef SHL_SEARCH_H
#define SHL_SEARCH_H

#include "stagehost_lua.h"

/* Makes require find the files of lua/ that are part of the library, before all others, and sets
 * package.path and package.cpath as opts say. Raises. */
void shl_search_open(lua_State *L, const sh_lua_opts *opts);

#endif

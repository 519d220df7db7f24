/* SPDX-License-Identifier: MIT
 *
 * How require finds modules. */
#ifndef SHL_SEARCH_H
#define SHL_SEARCH_H

#include "stagehost_lua.h"
#include "state/guard.h"

/* Makes require find the files of lua/ that are part of the library, before all others, has it take
 * text only unless the guard allows more, and sets package.path and package.cpath as opts say.
 * Raises. */
void shl_search_open(lua_State *L, struct shl_guard *guard, const sh_lua_opts *opts);

/* Only has require take text from files, unless the guard allows more. Raises. */
void shl_search_guard(lua_State *L, struct shl_guard *guard);

#endif

/* SPDX-License-Identifier: MIT
 *
 * How require finds modules. */
#ifndef SHL_SEARCH_H
#define SHL_SEARCH_H

#include "stagehost_lua.h"
#include "state/guard.h"

/* Makes require find the files of lua/ that are part of the library, before all others, and take
 * only text unless the guard allows bytecode; sets package.path and package.cpath from opts.
 * Raises. */
void shl_search_open(lua_State *L, struct shl_guard *guard, const sh_lua_opts *opts);

/* Only makes require take only text from files unless the guard allows bytecode. Raises. */
void shl_search_guard(lua_State *L, struct shl_guard *guard);

#endif

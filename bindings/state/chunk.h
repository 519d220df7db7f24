/* SPDX-License-Identifier: MIT
 *
 * Loading code. */
#ifndef SHL_CHUNK_H
#define SHL_CHUNK_H

#include <lua.h>

#include "state/guard.h"

/* What scripts load with, replaced: load, loadstring, loadfile and dofile. Raises. */
void shl_chunk_open(struct shl_guard *guard, lua_State *L);

/* As luaL_loadbuffer and luaL_loadfile, but bytecode is an error unless the guard allows it, and
 * so is text so nested that it would take too much C stack. `guard` may be of no state. */
int shl_chunk_load(struct shl_guard *guard, lua_State *L, const char *text, size_t len,
                   const char *name);
int shl_chunk_load_file(struct shl_guard *guard, lua_State *L, const char *path);

/* load_dump(bytes) -> function: what string.dump has made of one in this process. For the engine
 * only, which moves functions so. */
int shl_chunk_load_dump(lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Loading code. */
#ifndef SHL_CHUNK_H
#define SHL_CHUNK_H

#include <lua.h>

#include "state/guard.h"

/* Replaces the functions that scripts load with: load, loadstring, loadfile and dofile. Raises. */
void shl_chunk_open(struct shl_guard *guard, lua_State *L);

/* Like luaL_loadbuffer and luaL_loadfile, but bytecode is an error unless the guard allows it, and
 * so is text nested so deep that it takes too much C stack. `guard` need not belong to a state. */
int shl_chunk_load(struct shl_guard *guard, lua_State *L, const char *text, size_t len,
                   const char *name);
int shl_chunk_load_file(struct shl_guard *guard, lua_State *L, const char *path);

/* load_dump(bytes) -> function: loads bytes that string.dump made in this process. Only for the
 * engine, which moves functions this way. */
int shl_chunk_load_dump(lua_State *L);

#endif

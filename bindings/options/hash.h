/* SPDX-License-Identifier: MIT
 *
 * Hashes of Lua values. */
#ifndef SHL_HASH_H
#define SHL_HASH_H

#include <lauxlib.h>

/* hash, try_hash, hash_events, hash_natives */
extern const luaL_Reg shl_hash_functions[];

#endif

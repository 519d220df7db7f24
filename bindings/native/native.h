/* SPDX-License-Identifier: MIT
 *
 * The Lua modules "stagehost.native.*", for work that Lua is too slow for or can't do at
 * all. They know nothing of stages. Each consists of one or a few files of this folder, and
 * has one Lua module above it that scripts use. */
#ifndef SHL_NATIVE_NATIVE_H
#define SHL_NATIVE_NATIVE_H

#include <lua.h>

/* Registers them in package.preload. */
void shl_native_open(lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The Lua module "stagehost.core". */
#ifndef SHL_MODULE_H
#define SHL_MODULE_H

#include <lua.h>

/* Makes `require "stagehost.core"` find the module. Handles have their methods from now on: a C
 * program may give a handle to a script that never requires the module. Raises. */
void shl_module_open(lua_State *L);

int luaopen_stagehost_core(lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The functions that make up the Lua module "stagehost.core", by the files that define
 * them. */
#ifndef SHL_MODULE_H
#define SHL_MODULE_H

#include "state/context.h"

extern const luaL_Reg shl_stage_start_functions[];
extern const luaL_Reg shl_exits_functions[];
extern const luaL_Reg shl_subscription_functions[];
extern const luaL_Reg shl_registry_functions[];
extern const luaL_Reg shl_request_functions[];
extern const luaL_Reg shl_timer_functions[];
extern const luaL_Reg shl_runtime_functions[];

/* Makes `require "stagehost.core"` find the module. Handles have their methods from now on: a C program
 * may give one to a script that never requires it. Raises. */
void shl_module_open(lua_State *L);

#endif

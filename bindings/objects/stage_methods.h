/* SPDX-License-Identifier: MIT
 *
 * The methods of a stage handle. */
#ifndef SHL_STAGE_METHODS_H
#define SHL_STAGE_METHODS_H

#include <lauxlib.h>

extern const luaL_Reg shl_stage_methods[];
/* end_reason, has_results: what lua/stagehost/messages/joins.lua makes `join` of. */
extern const luaL_Reg shl_stage_end_functions[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * handle_exit and handle_down of Lua stages: callbacks of the same names in sh_stage_ops. */
#ifndef SHL_EXITS_H
#define SHL_EXITS_H

#include <lauxlib.h>
#include <lua.h>

#include "stagehost.h"

int shl_exits_handle_exit(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                          sh_result *r);
int shl_exits_handle_down(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                          uint64_t ref, sh_result *r);
/* A method of stage handles. */
int shl_exits_exit(lua_State *L);

/* link, unlink, monitor, demonitor */
extern const luaL_Reg shl_exits_functions[];

#endif

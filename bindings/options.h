/* SPDX-License-Identifier: MIT
 *
 * Option tables, checked and normalised by lua/stagehost/options.lua, as the core's structs. */
#ifndef SHL_OPTIONS_H
#define SHL_OPTIONS_H

#include "context.h"

/* To be called once by the init of every Lua stage, after the definition's own init and on the
 * stage's worker: configures `self` with the options it was started with (index start_index; nil:
 * none) overridden by the table its init returned (index returned_index; nil or 0: none), which is
 * checked here. `self` has the kind and name of the error texts. SH_OK; SH_EBADOPT or SH_EFAILED
 * sets *error, and the start fails with it. Never raises; leaves the stack as it was. */
int shl_apply_init_options(lua_State *L, sh_stage *self, int start_index, int returned_index,
                           sh_error **error);

extern const luaL_Reg shl_options_functions[];

#endif

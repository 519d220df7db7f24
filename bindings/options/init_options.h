/* SPDX-License-Identifier: MIT
 *
 * Option tables, checked and normalised by lua/stagehost/options/init.lua, as the core's
 * structs. */
#ifndef SHL_INIT_OPTIONS_H
#define SHL_INIT_OPTIONS_H

#include <lua.h>

#include "stagehost.h"

/* To be called once by the init of every Lua stage, after the definition's own init and on
 * the stage's worker: configures `self` with the options it was started with (index
 * start_index; 0 or nil: none) overridden by the table that its init returned
 * (returned_index; 0 or nil: none), which this function checks. SH_EBADOPT or SH_EFAILED sets
 * *error, and the start fails with it. Raises when out of memory. Leaves the stack unchanged. */
int shl_apply_init_options(lua_State *L, sh_stage *self, int start_index,
                           int returned_index, sh_error **error);

#endif

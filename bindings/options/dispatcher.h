/* SPDX-License-Identifier: MIT
 *
 * Dispatchers from the form that lua/stagehost/options/dispatchers.lua gives them. */
#ifndef SHL_DISPATCHER_H
#define SHL_DISPATCHER_H

#include <lua.h>

#include "stagehost.h"

/* Sets out->dispatcher and out->dispatcher_opts from the table at `index` (positive) for
 * the producer `self`. The data they point to stays on the stack of L. Raises when out of
 * memory, and then owns nothing; else dispatcher_opts owns *splitter (may be NULL). */
void shl_dispatcher_read(lua_State *L, int index, sh_stage *self, sh_stage_opts *out,
                         sh_splitter **splitter);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A Lua stage: what starting one and the methods of handles need to know of it. */
#ifndef SHL_STAGE_H
#define SHL_STAGE_H

#include "state/context.h"

struct shl_start;

/* The `arg` of a Lua stage's sh_stage_opts: its definition, the args for init, and the normalised
 * init options (options/init_options.h; init passes them to shl_apply_init_options). args_index and
 * options_index may be 0: none. Raises when out of memory. The core takes it with sh_stage_start. */
struct shl_start *shl_start_new(lua_State *L, int definition_index, int args_index,
                                int options_index);
/* The callbacks for a definition of that kind: has only those the definition has. */
const sh_stage_ops *shl_stage_ops_for(lua_State *L, int definition_index, sh_kind kind);

#endif

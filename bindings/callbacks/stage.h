/* SPDX-License-Identifier: MIT
 *
 * The callbacks of a Lua stage as the core calls them. */
#ifndef SHL_STAGE_H
#define SHL_STAGE_H

#include "state/lua_stage.h"

/* The callbacks for a definition of that kind: only those that the definition has. */
const sh_stage_ops *shl_stage_ops_for(lua_State *L, int definition_index, sh_kind kind);

/* The callback of that name in sh_stage_ops. */
void shl_stage_handle_reply(sh_stage *self, void *state, uint64_t ref, int status,
                            sh_batch value, sh_error *error);
/* Frees what the state owns, but not the state itself. */
void shl_stage_release(struct shl_stage *s);

#endif

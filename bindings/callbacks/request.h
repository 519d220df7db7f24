/* SPDX-License-Identifier: MIT
 *
 * Calls whose answers are awaited later: what handle_reply does with them. */
#ifndef SHL_REQUEST_H
#define SHL_REQUEST_H

#include "state/lua_stage.h"

/* An answer that the stage does not wait for now: kept, if it is one of a request. */
void shl_request_keep(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                      const sh_error *error);
/* The stage has waited for it. */
void shl_request_close(struct shl_stage *s, uint64_t ref);

/* request, take: what lua/stagehost/task.lua stands on */
extern const luaL_Reg shl_request_functions[];

#endif

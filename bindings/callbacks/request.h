/* SPDX-License-Identifier: MIT
 *
 * Calls whose answers are awaited later: their part of handle_reply. */
#ifndef SHL_REQUEST_H
#define SHL_REQUEST_H

#include "state/lua_stage.h"

/* Keeps an answer that the stage does not wait for now, if it belongs to a request. */
void shl_request_keep(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                      const sh_error *error);
/* Forgets a request whose answer the stage has waited for. */
void shl_request_close(struct shl_stage *s, uint64_t ref);

/* request, take: the functions below lua/stagehost/task.lua */
extern const luaL_Reg shl_request_functions[];

#endif

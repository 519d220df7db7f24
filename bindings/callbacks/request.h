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

/* Calls the stage with the message on top of L, for an answer that is awaited later: replaces the
 * message by the number and the table of the request. The running C function must have been called
 * by Lua. Raises. */
void shl_request_send(lua_State *L, sh_stage *stage);

/* request, take: the functions below lua/stagehost/task.lua */
extern const luaL_Reg shl_request_functions[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * The place of Lua code that does not return: for stages, the places of their callbacks; for code
 * that runs now, sh_lua_interrupt (stagehost_lua.h). */
#ifndef SHL_INTERRUPT_H
#define SHL_INTERRUPT_H

#include "state/lua_stage.h"

/* Tells that the calling thread runs this worker (NULL: none any more), which sh_lua_interrupt
 * reaches from now on. */
void shl_interrupt_open(struct shl_context *ctx);
/* Pushes the value of SHL_HELPER_PLACES. Raises. */
void shl_places_open(lua_State *L);
/* Remembers the place of the function on top of L, which is this callback of the stage. */
void shl_place_keep(struct shl_stage *s, lua_State *L, enum shl_callback callback);
/* The locate of stages and of scripts, see sh_stage_ops. */
void shl_place_of_callback(const void *state, const char *callback, char *out, size_t size);
void shl_place_of_script(const void *state, const char *callback, char *out, size_t size);

#endif

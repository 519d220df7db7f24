/* SPDX-License-Identifier: MIT
 *
 * Protected calls: the one gateway into Lua for everything but stage callbacks, which are resumed
 * (callbacks/callback.c). */
#ifndef SHL_CALL_H
#define SHL_CALL_H

#include "state/context.h"

/* pcall with traceback. Returns 0, or nonzero with an error string incl. traceback on top. */
int shl_pcall(lua_State *L, int nargs, int nresults);
/* pcall without one: the error value itself is on top. */
int shl_try(lua_State *L, int nargs, int nresults);
/* shl_pcall on ctx->L for a function that must not wait; `what` names it in the error of
 * one that does. */
int shl_pcall_still(struct shl_context *ctx, const char *what, int nargs, int nresults);
/* Runs C code that may raise: f finds `data` as a light userdata at index 1. Returns SH_OK,
 * or SH_EFAILED with *error. */
int shl_protect(struct shl_context *ctx, lua_CFunction f, void *data, sh_error **error);

/* Tells LuaJIT that L is the state that runs. LuaJIT (of 2022) is not told by an error that
 * leaves a C function if another state ran meanwhile, such as ctx->L to encode an event: the next
 * exit from compiled code would write into that one. A call does tell it. */
void shl_resume_state(lua_State *L);

/* The message handler of shl_pcall: error value -> string with traceback. */
int shl_traceback(lua_State *L);

#endif

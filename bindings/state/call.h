/* SPDX-License-Identifier: MIT
 *
 * Protected calls: the one gateway into Lua for everything but stage callbacks, which are resumed
 * (callbacks/callback.c). */
#ifndef SHL_CALL_H
#define SHL_CALL_H

#include "state/context.h"

/* A pcall that returns 0, or nonzero with an error string and its traceback on top. */
int shl_pcall(lua_State *L, int nargs, int nresults);
/* A pcall without traceback: the error value itself is on top. */
int shl_try(lua_State *L, int nargs, int nresults);
/* Runs shl_pcall on ctx->L for a function that must not wait; `what` names it in the error if
 * it does. */
int shl_pcall_still(struct shl_context *ctx, const char *what, int nargs, int nresults);
/* Runs C code that may raise: f finds `data` as a light userdata at index 1. Returns SH_OK,
 * or SH_EFAILED with *error. */
int shl_protect(struct shl_context *ctx, lua_CFunction f, void *data, sh_error **error);

/* Tells LuaJIT that L is the running state. LuaJIT (of 2022) does not notice it when an error
 * leaves a C function after another state ran there, such as ctx->L to encode an event: the next
 * exit from compiled code would write into that state. A call makes it notice. */
void shl_resume_state(lua_State *L);

/* The message handler of shl_pcall: turns an error value into a string with traceback. */
int shl_traceback(lua_State *L);

#endif

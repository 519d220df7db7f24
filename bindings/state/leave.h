/* SPDX-License-Identifier: MIT
 *
 * Leaving what runs for good: os.exit, and print when nobody reads any more. */
#ifndef SHL_LEAVE_H
#define SHL_LEAVE_H

#include "state/context.h"

/* Has all Lua code that runs now left, past every pcall and coroutine of the script, as soon as the
 * calling C function has returned; `how` is what becomes of the stage whose callback it is. In a
 * __gc this happens when the finalizer is through. The first call counts. */
void shl_leave(lua_State *L, enum shl_leave how);
/* As an error that no pcall catches. Takes the error. */
void shl_leave_failing(lua_State *L, sh_error *error);
/* The outermost call into Lua has come back: from here on Lua code may run again. Returns what
 * shl_leave was told, SHL_STAY if it was not called. */
enum shl_leave shl_leave_end(struct shl_context *ctx);
/* For a call that may be within a callback, which is then left as well. Returns whether it was
 * left. */
bool shl_leave_end_outside(struct shl_context *ctx);
/* What a call that was left gives as its error; a reference, NULL when out of memory. */
sh_error *shl_leave_error(const struct shl_context *ctx);

/* Replaces os.exit, by one that ends the host in order and not the process. */
void shl_exit_open(lua_State *L);

#endif

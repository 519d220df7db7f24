/* SPDX-License-Identifier: MIT
 *
 * Leaving a callback for good: os.exit, and print into a pipe without a reader. */
#ifndef SHL_LEAVE_H
#define SHL_LEAVE_H

#include "state/context.h"

/* Leaves all Lua code that runs now, past every pcall and coroutine of the script, as soon as the
 * calling C function has returned; `how` is the fate of the stage whose callback it is. In a __gc
 * this happens when the finalizer has finished. The first call counts. */
void shl_leave(lua_State *L, enum shl_leave how);
/* As an error that no pcall catches. Takes the error. */
void shl_leave_failing(lua_State *L, sh_error *error);
/* Called when the outermost call into Lua has returned: Lua code may run again from now on. Returns
 * the `how` of shl_leave, SHL_STAY if it was not called. */
enum shl_leave shl_leave_end(struct shl_context *ctx);
/* Like it, for a call that may be within a callback, which is then left as well. Returns whether
 * the call was left. */
bool shl_leave_end_outside(struct shl_context *ctx);
/* The error of a call that was left; a reference, NULL when out of memory. */
sh_error *shl_leave_error(const struct shl_context *ctx);

/* Replaces os.exit by a function that ends the host gracefully instead of the process. */
void shl_exit_open(lua_State *L);

#endif

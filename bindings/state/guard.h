/* SPDX-License-Identifier: MIT
 *
 * Bounds on what scripts use of the C stack. */
#ifndef SHL_GUARD_H
#define SHL_GUARD_H

#include "state/context.h"

/* Takes the present depth as the bottom, and replaces string.gsub. Raises. */
void shl_guard_open(struct shl_context *ctx, lua_State *L);
/* Pushes a function that raises "C stack overflow" when too much is used. */
void shl_guard_push_check(struct shl_context *ctx, lua_State *L);

#endif

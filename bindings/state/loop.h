/* SPDX-License-Identifier: MIT
 *
 * luv on the worker's own loop. */
#ifndef SHL_LOOP_H
#define SHL_LOOP_H

#include "state/context.h"

/* Makes `require "luv"` give a luv bound to the worker's loop. Raises. */
void shl_loop_open(lua_State *L);
/* A callback of luv has failed: logs it and counts it as a failure of the host. `text` is its
 * message with the traceback behind it; NULL: unknown. */
void shl_loop_failed(struct shl_context *ctx, const char *text);
/* Closes luv's handles on the loop and runs it until they are closed. False: a request in
 * the thread pool did not come back in time (a read that blocks for ever), and the state
 * must stay. */
bool shl_loop_close(struct shl_context *ctx);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The Lua state of a worker, opened and closed. */
#ifndef SHL_WORKER_H
#define SHL_WORKER_H

#include "state/context.h"

/* Makes the worker's Lua state and puts the context into the worker's slot; `opts` and `board` stay
 * the caller's. NULL with *error. */
struct shl_context *shl_worker_open(sh_worker *worker, const sh_lua_opts *opts,
                                    struct shl_board *board, sh_error **error);
/* Closes the state and luv's handles on the worker's loop. False: a request can't be ended, so
 * that both stay behind, cut off from the host. */
bool shl_worker_close(struct shl_context *ctx);

#endif

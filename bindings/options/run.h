/* SPDX-License-Identifier: MIT
 *
 * Calling the functions that a script gives the core: selectors, hashes, dispatchers. They
 * run on ctx->L, must not wait, and are called from places where nothing may raise. */
#ifndef SHL_RUN_H
#define SHL_RUN_H

#include "state/context.h"

/* Pushes onto ctx->L a table with the events of `batch`, and the number of those in it that come
 * before them: a list that is a Lua table is pushed as it is, and nothing of it is copied.
 * SH_EFAILED with *error pushes nothing. */
int shl_run_push_list(struct shl_context *ctx, sh_batch batch, sh_error **error);
/* Pushes a table of exactly the events of `batch`. */
int shl_run_push_events(struct shl_context *ctx, sh_batch batch, sh_error **error);
/* Calls the function below the arguments on ctx->L. SH_EFAILED with *error leaves nothing
 * there; `what` names the function in *error. */
int shl_run(struct shl_context *ctx, const char *what, int nargs, int nresults,
            sh_error **error);

/* Pushes the field of a module of the library. Raises. */
void shl_run_require(lua_State *L, const char *module, const char *field);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Starting a Lua stage: the data that travels to its worker, and init. */
#ifndef SHL_START_H
#define SHL_START_H

#include "state/lua_stage.h"

struct shl_start;

/* Pushes the value of SHL_HELPER_CALLBACKS, a function that returns the callbacks of a definition:
 * one call costs less than a lookup of each name. Raises. */
void shl_start_open(lua_State *L);
/* Pushes the SHL_N_CALLBACKS callbacks of the definition, in the order of enum shl_callback; nil:
 * it has none. Raises. */
void shl_start_push_callbacks(lua_State *L, int definition_index);
/* The `arg` of a Lua stage's sh_stage_opts: its definition, the args for init, and the normalised
 * init options (options/init_options.h; init passes them to shl_apply_init_options). args_index
 * and options_index may be 0: none. Raises when out of memory. The core takes it with
 * sh_stage_start. */
struct shl_start *shl_start_new(lua_State *L, int definition_index, int args_index,
                                int options_index);
void shl_start_free(struct shl_start *start); /* NULL is allowed */
/* Applies the start options and the table at `index` of L (0: none) that init returned.
 * Raises, or sets *error. */
int shl_start_configure(struct shl_stage *s, lua_State *L, int index, sh_error **error);
/* Callbacks of the same names in sh_stage_ops. */
int shl_start_init(sh_stage *self, void *state, void *arg, sh_result *r);
int shl_start_encode(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error);
int shl_start_decode(sh_worker *worker, const sh_parcel *parcel, void **arg,
                     sh_error **error);

#endif

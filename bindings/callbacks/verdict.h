/* SPDX-License-Identifier: MIT
 *
 * The marked values that callbacks return. All functions read the stage's coroutine. */
#ifndef SHL_VERDICT_H
#define SHL_VERDICT_H

#include "state/lua_stage.h"

/* Makes the metatables and values that mark verdicts. Raises. */
void shl_verdict_open(struct shl_context *ctx, lua_State *L);

/* Whether the value at `index` was made by stagehost.stop. */
bool shl_verdict_is_stop(struct shl_stage *s, int index);
/* The index of the first hole in the events of such a stop; 0: there is none. */
size_t shl_verdict_find_hole(struct shl_stage *s, int index);
/* Fills *r from a stop: stop, reason, events, and a reply if there is a call to be answered.
 * SH_EFAILED with *error; the contents of *r are then the caller's. */
int shl_verdict_take_stop(struct shl_stage *s, int index, sh_result *r, sh_error **error);
/* Whether the value at `index` was made by stagehost.redirect. */
bool shl_verdict_is_redirect(struct shl_stage *s, int index);
/* Fills *r from a redirection. SH_EFAILED with *error. */
int shl_verdict_take_redirect(struct shl_stage *s, int index, sh_result *r,
                              sh_error **error);
/* Takes what stagehost.failed has returned out of the list of results, the first value. */
void shl_verdict_drop_failed(struct shl_stage *s);
/* Whether the value is stagehost.noreply or stagehost.ignore. */
bool shl_verdict_is_value(struct shl_stage *s, int index, enum shl_helper value);

/* stop, redirect, failed, retry_in, and answers() -> noreply, ignore */
extern const luaL_Reg shl_verdict_functions[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * What callbacks return. */
#ifndef SHL_RESULT_H
#define SHL_RESULT_H

#include "state/lua_stage.h"

/* The values that a callback returned, which are all that is on the coroutine, as *r. SH_DONE, or
 * SH_EFAILED with r->reason; the coroutine is empty or ready again. */
int shl_result_take(struct shl_stage *s, sh_result *r);
/* The error of a callback that returned what is on top of ctx->L (popped), which it must not;
 * NULL: out of memory. */
sh_error *shl_result_refuse(struct shl_stage *s, enum shl_callback callback);

#endif

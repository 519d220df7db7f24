/* SPDX-License-Identifier: MIT
 *
 * The results of callbacks. */
#ifndef SHL_RESULT_H
#define SHL_RESULT_H

#include "state/lua_stage.h"

/* Converts the values that a callback returned, the only ones on the coroutine, to *r. SH_DONE, or
 * SH_EFAILED with r->reason; the coroutine is then empty or ready again. */
int shl_result_take(struct shl_stage *s, sh_result *r);
/* The error of a callback that returned the value on top of ctx->L (popped), which is not allowed;
 * NULL: out of memory. */
sh_error *shl_result_refuse(struct shl_stage *s, enum shl_callback callback);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The `from` of handle_call. */
#ifndef SHL_FROM_H
#define SHL_FROM_H

#include "state/lua_stage.h"
#include "state/type.h"

extern const struct shl_type shl_call_type;

/* The object a callback gets as `from` of a call; answers with :reply(). */
void shl_push_from(lua_State *L, sh_from from);
/* Marks the current call of handle_call as answered; returns whether it was not answered yet. */
bool shl_from_close(struct shl_stage *s);

#endif

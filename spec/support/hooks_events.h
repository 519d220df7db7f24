/* SPDX-License-Identifier: MIT
 *
 * Batches of Lua events for hooks.c, which sees the headers of host/ first: events/batch.h is one
 * of both layers. */
#ifndef SPEC_HOOKS_EVENTS_H
#define SPEC_HOOKS_EVENTS_H

#include <lua.h>

#include "stagehost.h"

/* An owned batch of the list on top of L, which is popped. */
int hooks_events_take(lua_State *L, sh_batch *out);
void hooks_events_push(lua_State *L, sh_batch batch);
/* An owned payload of the value on top of L, which is popped. */
int hooks_payload_take(lua_State *L, sh_batch *out);
void hooks_payload_push(lua_State *L, sh_batch payload);

#endif

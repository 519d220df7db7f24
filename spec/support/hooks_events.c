/* SPDX-License-Identifier: MIT */
#include "hooks_events.h"

#include "events/batch.h"

int hooks_events_take(lua_State *L, sh_batch *out)
{
    return shl_batch_take(shl_context(L), L, (uint32_t)lua_objlen(L, -1), out);
}

void hooks_events_push(lua_State *L, sh_batch batch)
{
    shl_batch_push(shl_context(L), L, batch);
}

int hooks_payload_take(lua_State *L, sh_batch *out)
{
    return shl_payload_take(shl_context(L), L, out);
}

void hooks_payload_push(lua_State *L, sh_batch payload)
{
    shl_payload_push(shl_context(L), L, payload);
}

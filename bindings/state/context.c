/* SPDX-License-Identifier: MIT
 *
 * Finding the context of a Lua state or of a worker. */
#include "state/context.h"

static const char context_key; /* its address is the context's key in the registry */

void shl_context_bind(struct shl_context *ctx, lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&context_key);
    lua_pushlightuserdata(L, ctx);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

struct shl_context *shl_context(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&context_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct shl_context *ctx = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return ctx;
}

struct shl_context *shl_worker_context(sh_worker *worker)
{
    return *sh_worker_slot(worker);
}

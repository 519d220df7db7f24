/* SPDX-License-Identifier: MIT
 *
 * Keeps scripts from running out of C stack. LuaJIT bounds recursion by the size of a coroutine's
 * Lua stack, which is too late in two places: string.gsub needs 8 KB of C stack for each level,
 * and each coroutine that is resumed inside of another brings a Lua stack of its own. There, what
 * is used of the C stack is looked at first. */
#include "state/guard.h"

#include <stdint.h>

/* Beyond this, no further level is begun. What can come on top, the deepest recursion through
 * other functions of a single coroutine, takes less than 4 MB. */
enum { MOST_C_STACK = 1 << 20 };

static void check_c_stack(lua_State *L, const struct shl_context *ctx)
{
    char place;
    uintptr_t now = (uintptr_t)&place;
    uintptr_t used = now < ctx->c_stack ? ctx->c_stack - now : now - ctx->c_stack;
    if (used <= MOST_C_STACK)
        return;
    lua_pushliteral(L, "C stack overflow");
    lua_error(L);
}

/* check() */
static int guard_check(lua_State *L)
{
    check_c_stack(L, lua_touserdata(L, lua_upvalueindex(1)));
    return 0;
}

static int guard_gsub(lua_State *L)
{
    struct shl_context *ctx = lua_touserdata(L, lua_upvalueindex(1));
    if (lua_type(L, 3) == LUA_TFUNCTION || lua_type(L, 3) == LUA_TTABLE)
        check_c_stack(L, ctx);
    return ctx->gsub(L);
}

void shl_guard_push_check(struct shl_context *ctx, lua_State *L)
{
    lua_pushlightuserdata(L, ctx);
    lua_pushcclosure(L, guard_check, 1);
}

void shl_guard_open(struct shl_context *ctx, lua_State *L)
{
    char place;
    ctx->c_stack = (uintptr_t)&place;
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "gsub");
    ctx->gsub = lua_tocfunction(L, -1);
    lua_pushlightuserdata(L, ctx);
    lua_pushcclosure(L, guard_gsub, 1);
    lua_setfield(L, -3, "gsub");
    lua_pop(L, 2);
}

/* SPDX-License-Identifier: MIT */
#include "state/raise.h"

#include <lauxlib.h>

static int do_nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* An error that leaves a C function does not tell LuaJIT (of 2022) that L is the state that runs
 * again, if another one ran meanwhile, such as ctx->L to encode an event: the next exit from
 * compiled code would write into that one. A call does tell it. */
static void resume_state(lua_State *L)
{
    lua_cpcall(L, do_nothing, NULL);
}

int shl_raise(lua_State *L, const char *what, int status, sh_error *error)
{
    const char *text = error ? sh_error_get(error)->message : NULL;
    luaL_where(L, 1);
    lua_pushfstring(L, "%s: %s", what, text ? text : sh_strerror(status));
    sh_error_unref(error);
    lua_concat(L, 2);
    resume_state(L);
    return lua_error(L);
}

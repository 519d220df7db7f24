/* SPDX-License-Identifier: MIT */
#include "state/raise.h"

#include <lauxlib.h>

#include "state/call.h"

int shl_raise(lua_State *L, const char *what, int status, sh_error *error)
{
    const char *text = error ? sh_error_get(error)->message : NULL;
    luaL_where(L, 1);
    lua_pushfstring(L, "%s: %s", what, text ? text : sh_strerror(status));
    sh_error_unref(error);
    lua_concat(L, 2);
    shl_resume_state(L);
    return lua_error(L);
}

/* SPDX-License-Identifier: MIT */
#include "state/frames.h"

#include <lauxlib.h>

#include "state/error.h"

/* The level of the first frame of the script; `level` if there is none. */
static int first_outside(lua_State *co, int level)
{
    lua_Debug ar;
    for (int i = level; lua_getstack(co, i, &ar); i++) {
        lua_getinfo(co, "S", &ar);
        if (*ar.what != 'C' && !shl_is_of_library(&ar))
            return i;
    }
    return level;
}

void shl_push_traceback(lua_State *L, int index, lua_State *co, const char *text, int level)
{
    luaL_traceback(L, co, text,
                   shl_is_error_object(L, index) ? first_outside(co, level) : level);
}

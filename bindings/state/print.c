/* SPDX-License-Identifier: MIT
 *
 * print, a line at a time. LuaJIT's own writes each value and each tab by itself, so that what
 * several workers print meets within a line; here a line is one write, under stdio's lock. */
#include "state/print.h"

#include <lauxlib.h>
#include <stdio.h>

/* Puts strings in the place of the values. As in Lua 5.1 the global tostring makes them,
 * whatever it is by now. */
static void make_strings(lua_State *L, int n)
{
    for (int i = 1; i <= n; i++) {
        lua_getglobal(L, "tostring");
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        if (!lua_isstring(L, -1))
            luaL_error(L, "'tostring' must return a string to 'print'");
        lua_replace(L, i);
    }
}

/* As LuaJIT's, it leaves an output that can't be written to the report at the end. */
static int print(lua_State *L)
{
    int n = lua_gettop(L);
    luaL_Buffer buffer;
    size_t size;
    shl_guard_check(lua_touserdata(L, lua_upvalueindex(1)), L);
    make_strings(L, n);
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&buffer, '\t');
        lua_pushvalue(L, i);
        luaL_addvalue(&buffer);
    }
    luaL_addchar(&buffer, '\n');
    luaL_pushresult(&buffer);
    const char *line = lua_tolstring(L, -1, &size);
    (void)fwrite(line, 1, size, stdout);
    return 0;
}

void shl_print_open(struct shl_guard *guard, lua_State *L)
{
    lua_pushlightuserdata(L, guard);
    lua_pushcclosure(L, print, 1);
    lua_setglobal(L, "print");
}

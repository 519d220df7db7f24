/* SPDX-License-Identifier: MIT */
#include "options/field.h"

#include <lauxlib.h>

int shl_word_field(lua_State *L, int index, const char *key, const char *const *words)
{
    lua_getfield(L, index, key);
    int which = luaL_checkoption(L, -1, words[0], words);
    lua_pop(L, 1);
    return which;
}

int64_t shl_integer_field(lua_State *L, int index, const char *key)
{
    lua_getfield(L, index, key);
    int64_t value = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

bool shl_boolean_field(lua_State *L, int index, const char *key)
{
    lua_getfield(L, index, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* SPDX-License-Identifier: MIT */
#include "native/json.h"

struct choice {
    const char *name;
    int value;
};

static const struct choice big_integers[] = {
    {"error", SHL_JSON_BIG_ERROR},
    {"int64", SHL_JSON_BIG_INT64},
    {"string", SHL_JSON_BIG_STRING},
    {NULL, 0},
};

static const struct choice invalid_utf8[] = {
    {"error", SHL_JSON_UTF8_ERROR},
    {"replace", SHL_JSON_UTF8_REPLACE},
    {"keep", SHL_JSON_UTF8_KEEP},
    {NULL, 0},
};

/* new(box, unbox) returns decode and encode. Lua makes and reads boxed integers for them,
 * because the C interface of LuaJIT has no functions for cdata: box(high, low, is_negative)
 * makes one of the halves of its absolute value; unbox(cdata) returns its digits, or nil if
 * it is another cdata. */
static int new_codec(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, shl_json_decode, 1);
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    lua_pushcclosure(L, shl_json_encode, 2);
    return 2;
}

static void add_choices(lua_State *L, const char *option, const struct choice *choices)
{
    lua_newtable(L);
    for (; choices->name; choices++) {
        lua_pushnumber(L, choices->value);
        lua_setfield(L, -2, choices->name);
    }
    lua_setfield(L, -2, option);
}

int luaopen_stagehost_native_json(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, new_codec);
    lua_setfield(L, -2, "new");
    lua_pushlightuserdata(L, NULL); /* as lua-cjson's */
    lua_setfield(L, -2, "null");
    add_choices(L, "big_integers", big_integers);
    add_choices(L, "invalid_utf8", invalid_utf8);
    return 1;
}

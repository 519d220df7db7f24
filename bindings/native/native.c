/* SPDX-License-Identifier: MIT */
#include "native/native.h"

#include <lauxlib.h>

#include "native/cached_read.h"
#include "native/json.h"

static const luaL_Reg modules[] = {
    {"stagehost.native.cached_read", luaopen_stagehost_native_cached_read},
    {"stagehost.native.json", luaopen_stagehost_native_json},
    {NULL, NULL},
};

void shl_native_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    luaL_register(L, NULL, modules);
    lua_pop(L, 2);
}

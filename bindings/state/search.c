/* SPDX-License-Identifier: MIT
 *
 * How require of a worker's Lua state finds modules: first in the library itself, then in the
 * paths that the program gave. */
#include "state/search.h"

#include <lauxlib.h>
#include <string.h>

#include "state/chunk.h"
#include "state/embed.h"

/* A searcher of package.loaders: the files of lua/ that are part of the library. */
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct shl_embedded *module = shl_embedded_module(name);
    if (!module) {
        lua_pushfstring(L, "\n\tno embedded module '%s'", name);
        return 1;
    }
    lua_pushfstring(L, "@%s", module->path);
    if (luaL_loadbuffer(L, module->text, module->len, lua_tostring(L, -1)) != 0)
        return lua_error(L);
    return 1;
}

/* A searcher of package.loaders that replaces LuaJIT's: Lua files in package.path. Upvalues: the
 * guard, `package`, and its searchpath. */
static int search_file(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, 1);
    lua_getfield(L, lua_upvalueindex(2), "path");
    if (!lua_isstring(L, -1))
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2); /* name, file or nil, message */
    if (lua_isnil(L, -2))
        return 1;
    const char *file = lua_tostring(L, -2);
    if (shl_chunk_load_file(lua_touserdata(L, lua_upvalueindex(1)), L, file) != 0)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                          lua_tostring(L, -1));
    return 1;
}

void shl_search_guard(lua_State *L, struct shl_guard *guard)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders"); /* package, loaders */
    lua_pushlightuserdata(L, guard);
    lua_pushvalue(L, -3);
    lua_getfield(L, -1, "searchpath");
    lua_pushcclosure(L, search_file, 3);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

static void add_searcher(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders"); /* package, loaders */
    for (int i = (int)lua_objlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search_embedded);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* `;;` stands for Lua's own path, as in LUA_PATH. */
static void set_path(lua_State *L, const char *field, const char *path)
{
    if (!path)
        return;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, field); /* package, old */
    const char *marked = luaL_gsub(L, path, ";;", ";\1;");
    luaL_gsub(L, marked, "\1", lua_tostring(L, -2)); /* package, old, marked, new */
    lua_setfield(L, -4, field);
    lua_pop(L, 3);
}

void shl_search_open(lua_State *L, struct shl_guard *guard, const sh_lua_opts *opts)
{
    shl_search_guard(L, guard);
    add_searcher(L);
    set_path(L, "path", opts->path);
    set_path(L, "cpath", opts->cpath);
}

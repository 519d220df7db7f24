/* SPDX-License-Identifier: MIT
 *
 * The standard output of Lua. A broken pipe there means that no more output is wanted, as for
 * every filter in front of `head`: it counts as a quiet SIGTERM, and the callback that writes
 * ends. */
#include "state/output.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#include "state/leave.h"

/* Nothing in a state of a thread of luv's, which has no host. */
static void output_is_gone(lua_State *L)
{
    const struct shl_context *ctx = shl_context(L);
    if (!ctx)
        return;
    sh_host_decline(sh_worker_host(ctx->worker));
    shl_leave(L, SHL_STOP);
}

/* -- print ----------------------------------------------------------------------------- */

/* Replaces the values by strings. As in Lua 5.1 the current global tostring makes them. */
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

/* LuaJIT's print writes each value and each tab by itself, so that the output of several workers
 * mixes within a line; here a line is one write, under stdio's lock. Like LuaJIT's print, it
 * ignores write errors: the report at the end shows them. */
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
    if (fwrite(line, 1, size, stdout) != size && errno == EPIPE)
        output_is_gone(L);
    return 0;
}

/* -- io -------------------------------------------------------------------------------- */

/* Whether the file at `index` is standard output. */
static bool is_stdout(lua_State *L, int index)
{
    FILE **file = luaL_checkudata(L, index, LUA_FILEHANDLE);
    return *file == stdout;
}

/* Checks the results of LuaJIT's function: nil, message and errno if it failed. */
static bool is_broken_pipe(lua_State *L, int n_results)
{
    return n_results >= 3 && lua_isnil(L, -n_results) &&
           lua_tointeger(L, -n_results + 2) == EPIPE;
}

static int run(lua_State *L, shl_library which)
{
    return shl_context(L)->library[which](L);
}

/* io.write, io.flush: the default output */
static int check_default(lua_State *L, int n_results)
{
    if (is_broken_pipe(L, n_results)) {
        lua_getglobal(L, "io");
        lua_getfield(L, -1, "output");
        lua_call(L, 0, 1);
        bool is_gone = is_stdout(L, -1);
        lua_pop(L, 2);
        if (is_gone)
            output_is_gone(L);
    }
    return n_results;
}

static int io_write(lua_State *L)
{
    return check_default(L, run(L, SHL_IO_WRITE));
}

static int io_flush(lua_State *L)
{
    return check_default(L, run(L, SHL_IO_FLUSH));
}

/* file:write, file:flush. LuaJIT's functions leave the file where it is. */
static int check_file(lua_State *L, int n_results)
{
    if (is_broken_pipe(L, n_results) && is_stdout(L, 1))
        output_is_gone(L);
    return n_results;
}

static int file_write(lua_State *L)
{
    return check_file(L, run(L, SHL_FILE_WRITE));
}

static int file_flush(lua_State *L)
{
    return check_file(L, run(L, SHL_FILE_FLUSH));
}

/* Replaces the function `name` of the table on top by f. */
static void replace(struct shl_context *ctx, lua_State *L, const char *name,
                    shl_library which, lua_CFunction f)
{
    lua_getfield(L, -1, name);
    ctx->library[which] = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    lua_pushcfunction(L, f);
    lua_setfield(L, -2, name);
}

void shl_output_open_print(struct shl_guard *guard, lua_State *L)
{
    lua_pushlightuserdata(L, guard);
    lua_pushcclosure(L, print, 1);
    lua_setglobal(L, "print");
}

void shl_output_open(struct shl_context *ctx, lua_State *L)
{
    shl_output_open_print(&ctx->guard, L);
    lua_getglobal(L, "io");
    replace(ctx, L, "write", SHL_IO_WRITE, io_write);
    replace(ctx, L, "flush", SHL_IO_FLUSH, io_flush);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    replace(ctx, L, "write", SHL_FILE_WRITE, file_write);
    replace(ctx, L, "flush", SHL_FILE_FLUSH, file_flush);
    lua_pop(L, 2);
}

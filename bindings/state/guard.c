/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* LuaJIT bounds recursion by the size of a coroutine's Lua stack, 65500 slots. That does not bound
 * the C stack: a C function that calls a Lua function takes C stack for each level of a recursion
 * through it, and each coroutine that is resumed inside another has a Lua stack of its own. So
 * the guards check how much C stack is left before a further level begins. Bytes for a level, and
 * for the deepest recursion that the Lua stack allows, measured:
 *
 *   print                          8400   110 MB     the buffer of the line
 *   string.gsub                    9000    60 MB     LuaJIT's buffer
 *   load, with a function           560   3.1 MB     see chunk.c
 *   collectgarbage, from a __gc     320   5.3 MB
 *   coroutine.resume, .wrap          80   no bound   lua/stagehost/engine/nest.lua
 *   string.format, a __tostring     240   3.9 MB
 *   buffer:put, :putf               220   1.5 MB     of string.buffer
 *   table.sort                      220   1.1 MB
 *   require, dofile                 130   0.9 MB
 *
 * All others (pcall, xpcall, tostring, metamethods, iterators) use no C stack. string.format
 * and buffer:put are left alone where the reserve is large enough for them (c_stack.c), since a
 * function that is replaced can't be compiled. */
/* clang-format on */
#include "state/guard.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

void shl_guard_check(struct shl_guard *guard, lua_State *L)
{
    if (shl_c_stack_is_short(&guard->stack)) {
        lua_pushliteral(L, "C stack overflow");
        lua_error(L);
    }
}

static int check(lua_State *L)
{
    shl_guard_check(lua_touserdata(L, lua_upvalueindex(1)), L);
    return 0;
}

/* The original is called directly, so that it finds its arguments, and its caller for errors. */
static int call_guarded(lua_State *L)
{
    struct shl_guard *guard = lua_touserdata(L, lua_upvalueindex(1));
    shl_guard_check(guard, L);
    return guard->originals[lua_tointeger(L, lua_upvalueindex(2))](L);
}

/* A finalizer that calls this to run other finalizers must not fail, since the error would appear
 * anywhere: then nothing is collected. */
static int collect_guarded(lua_State *L)
{
    struct shl_guard *guard = lua_touserdata(L, lua_upvalueindex(1));
    const char *what = luaL_optstring(L, 1, "collect");
    if (shl_c_stack_is_short(&guard->stack) &&
        (strcmp(what, "collect") == 0 || strcmp(what, "step") == 0)) {
        lua_pushinteger(L, 0);
        return 1;
    }
    return guard->originals[lua_tointeger(L, lua_upvalueindex(2))](L);
}

/* `table` is a global, or NULL for globals; "buffer" is the metatable of string.buffer. */
static const struct {
    const char *table, *name;
    lua_CFunction replacement;
    bool is_compiled;
} guarded[SHL_N_GUARDED] = {
    {"string", "gsub", call_guarded, false},
    {"table", "sort", call_guarded, false},
    {NULL, "require", call_guarded, false},
    {NULL, "collectgarbage", collect_guarded, false},
    {"string", "format", call_guarded, true},
    {"buffer", "put", call_guarded, true},
    {"buffer", "putf", call_guarded, true},
};

/* Pushes the table that function `i` of the list is a field of. */
static void push_table(lua_State *L, size_t i)
{
    const char *table = guarded[i].table;
    if (!table) {
        lua_pushvalue(L, LUA_GLOBALSINDEX);
    } else if (strcmp(table, "buffer") != 0) {
        lua_getglobal(L, table);
    } else {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "string.buffer");
        lua_call(L, 1, 1);
        lua_getfield(L, -1, "new");
        lua_call(L, 0, 1); /* module, buffer */
        lua_getmetatable(L, -1);
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
}

/* Leaves a function alone that a library has already replaced. */
static void replace(struct shl_guard *guard, lua_State *L, size_t i)
{
    push_table(L, i);
    lua_getfield(L, -1, guarded[i].name); /* table, original */
    guard->originals[i] = lua_tocfunction(L, -1);
    if (!guard->originals[i]) {
        lua_pop(L, 2);
        return;
    }
    lua_pushlightuserdata(L, guard);
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, guarded[i].replacement, 2); /* table, original, replacement */
    lua_getfenv(L, -2); /* where require finds package.loaders */
    lua_setfenv(L, -2);
    lua_setfield(L, -3, guarded[i].name);
    lua_pop(L, 2);
}

static void replace_all(struct shl_guard *guard, lua_State *L, bool is_compiled)
{
    for (size_t i = 0; i < SHL_N_GUARDED; i++)
        if (guarded[i].is_compiled == is_compiled)
            replace(guard, L, i);
}

bool shl_guard_enter(struct shl_guard *guard, lua_State *L)
{
    bool is_new = !guard->is_open, is_smaller = false;
    (void)shl_c_stack_is_short(&guard->stack);
    if (is_new)
        replace_all(guard, L, false);
    guard->is_open = true;
    if (guard->stack.is_small && !guard->is_complete) {
        replace_all(guard, L, true);
        is_smaller = guard->is_complete = true;
    }
    return is_new || is_smaller;
}

void shl_guard_push_check(struct shl_guard *guard, lua_State *L)
{
    lua_pushlightuserdata(L, guard);
    lua_pushcclosure(L, check, 1);
}

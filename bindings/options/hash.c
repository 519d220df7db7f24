/* SPDX-License-Identifier: MIT
 *
 * Hashes of Lua values: numbers, strings and booleans as in stagehost/hash.h, tables by their
 * pairs, handles by the id of their object.
 *
 * Compiled Lua of lua/stagehost/engine/routing.lua calls the functions of `natives` for single
 * strings and numbers, which costs less than a call through the stack; they do not use Lua. */
#include "options/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stagehost/hash.h"
#include "state/handle.h"
#include "state/number.h"
#include "state/slot.h"

/* This bounds the time for tables that refer to the same large table many times. */
enum { MAX_DEPTH = 100, MAX_VALUES = 1 << 20 };

/* The state of hashing one value. */
struct walk {
    int depth, n_values;
    char problem[160]; /* why there is no hash; "": there is one */
    bool has_place;    /* the problem names its field */
    const void *parents[MAX_DEPTH];
};

static void begin(struct walk *walk)
{
    walk->depth = walk->n_values = 0;
    walk->problem[0] = '\0';
    walk->has_place = false;
}

static uint64_t fail(struct walk *walk, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(walk->problem, sizeof walk->problem, fmt, args);
    va_end(args);
    return 0;
}

/* -- values ---------------------------------------------------------------------------- */

static uint64_t hash_value(lua_State *L, int index, struct walk *walk);

/* Adds the field of the innermost table to the problem; the key is at `index`. */
static void add_place(lua_State *L, int index, struct walk *walk)
{
    size_t len = strlen(walk->problem);
    if (walk->has_place || lua_type(L, index) != LUA_TSTRING)
        return;
    snprintf(walk->problem + len, sizeof walk->problem - len, " (in the field \"%.40s\")",
             lua_tostring(L, index));
    walk->has_place = true;
}

static uint64_t hash_pairs(lua_State *L, int index, struct walk *walk)
{
    uint64_t sum = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        int value = lua_gettop(L);
        uint64_t key = hash_value(L, value - 1, walk);
        if (!walk->problem[0])
            sum += sh_hash_pair(key, hash_value(L, value, walk));
        if (walk->problem[0]) {
            add_place(L, value - 1, walk);
            lua_pop(L, 2);
            return 0;
        }
        lua_pop(L, 1);
    }
    return sh_hash_pairs(sum);
}

static uint64_t hash_table(lua_State *L, int index, struct walk *walk)
{
    const void *table = lua_topointer(L, index);
    for (int i = 0; i < walk->depth; i++)
        if (walk->parents[i] == table)
            return fail(walk, "a table that contains itself has no hash");
    if (walk->depth == MAX_DEPTH || !lua_checkstack(L, 8))
        return fail(walk, "a table nested more than %d deep has no hash", (int)MAX_DEPTH);
    walk->parents[walk->depth++] = table;
    uint64_t hash = hash_pairs(L, index, walk);
    walk->depth--;
    return hash;
}

static uint64_t hash_handle(lua_State *L, int index, struct walk *walk)
{
    const sh_stage *stage = shl_test_stage(L, index);
    if (stage)
        return sh_hash_unsigned(sh_stage_id(stage));
    const sh_subscription *sub = shl_test_subscription(L, index);
    if (sub)
        return sh_hash_unsigned(sh_subscription_id(sub));
    return fail(walk, "a userdata that is no handle has no hash");
}

/* A boxed integer. */
static uint64_t hash_boxed(lua_State *L, int index, struct walk *walk)
{
    shl_helper_push(shl_context(L), L, SHL_HELPER_HALVES);
    lua_pushvalue(L, index);
    lua_call(L, 1, 2);
    bool is_integer = !lua_isnil(L, -2);
    lua_Number high = lua_tonumber(L, -2);
    uint64_t bits = (uint64_t)(int64_t)high << 32 | (uint64_t)lua_tonumber(L, -1);
    lua_pop(L, 2);
    if (!is_integer)
        return fail(walk, "a cdata that is no 64-bit integer has no hash");
    return high < 0 ? sh_hash_integer((int64_t)bits) : sh_hash_unsigned(bits);
}

static uint64_t hash_value(lua_State *L, int index, struct walk *walk)
{
    size_t len;
    const char *text;
    if (++walk->n_values > MAX_VALUES)
        return fail(walk, "a table of more than %d values has no hash", (int)MAX_VALUES);
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return sh_hash_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return sh_hash_number(lua_tonumber(L, index));
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        return sh_hash_bytes(text, len);
    case LUA_TTABLE:
        return hash_table(L, index, walk);
    case LUA_TUSERDATA:
        return hash_handle(L, index, walk);
    }
    if (strcmp(luaL_typename(L, index), "cdata") == 0)
        return hash_boxed(L, index, walk);
    if (lua_isnil(L, index))
        return fail(walk, "nil has no hash");
    return fail(walk, "a %s has no hash", luaL_typename(L, index));
}

/* -- functions of the module ----------------------------------------------------------- */

static uint32_t check_places(lua_State *L, int index)
{
    int64_t n = shl_check_count(L, index, 1);
    luaL_argcheck(L, n <= INT32_MAX, index, "must be at most 2147483647");
    return (uint32_t)n;
}

/* The hash of the value at index 1. */
static uint32_t place_of_value(lua_State *L, uint32_t n, struct walk *walk)
{
    begin(walk);
    lua_settop(L, 1);
    return sh_hash_place(hash_value(L, 1, walk), n);
}

/* hash(value, n) -> 0 .. n - 1 */
static int hash(lua_State *L)
{
    struct walk walk;
    luaL_checkany(L, 1);
    uint32_t place = place_of_value(L, check_places(L, 2), &walk);
    if (walk.problem[0])
        luaL_argerror(L, 1, walk.problem);
    lua_pushinteger(L, (lua_Integer)place);
    return 1;
}

/* try_hash(value, n) -> 0 .. n - 1 | nil, problem */
static int try_hash(lua_State *L)
{
    struct walk walk;
    uint32_t place = place_of_value(L, check_places(L, 2), &walk);
    if (walk.problem[0]) {
        lua_pushnil(L);
        lua_pushstring(L, walk.problem);
        return 2;
    }
    lua_pushinteger(L, (lua_Integer)place);
    return 1;
}

/* hash_events(places, events, first, last, n): places[i] = the place of events[i], from 1; or, if
 * it has no hash, a string that says why */
static int hash_events(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    int first = (int)luaL_checkinteger(L, 3), last = (int)luaL_checkinteger(L, 4);
    uint32_t n = check_places(L, 5);
    struct walk walk;
    lua_settop(L, 5);
    for (int i = first; i <= last; i++) {
        begin(&walk);
        lua_rawgeti(L, 2, i);
        uint64_t hash = hash_value(L, 6, &walk);
        if (walk.problem[0])
            lua_pushstring(L, walk.problem);
        else
            lua_pushinteger(L, (lua_Integer)sh_hash_place(hash, n) + 1);
        lua_rawseti(L, 1, i);
        lua_settop(L, 5);
    }
    return 0;
}

static uint32_t place_of_string(const char *data, size_t len, uint32_t n)
{
    return sh_hash_place(sh_hash_bytes(data, len), n);
}

static uint32_t place_of_number(double value, uint32_t n)
{
    return sh_hash_place(sh_hash_number(value), n);
}

/* routing.lua repeats this declaration. */
static const struct natives {
    uint32_t (*string)(const char *data, size_t len, uint32_t n);
    uint32_t (*number)(double value, uint32_t n);
} natives = {place_of_string, place_of_number};

/* hash_natives() -> the address of `natives` */
static int hash_natives(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&natives);
    return 1;
}

const luaL_Reg shl_hash_functions[] = {
    {"hash", hash},
    {"try_hash", try_hash},
    {"hash_events", hash_events},
    {"hash_natives", hash_natives},
    {NULL, NULL},
};

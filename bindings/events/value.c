/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* C values and Lua values, where stages written in C and in Lua meet.
 *
 *   nil, boolean, string   the same
 *   integer -> Lua         a number up to 2^53, beyond it a boxed int64_t (9007199254740993LL)
 *   number -> C            an integer if it is integral and within 2^53, else a number
 *   list, map -> Lua       a table; a map's key can't be nil or NaN
 *   table -> C             a list if its keys are 1 .. n (so is an empty one), else a map
 *   pointer -> Lua         a userdata that keeps its list alive
 *   userdata of a pointer, light userdata
 *           -> C           a pointer, borrowed: valid during the callback
 *
 * Other values (functions, coroutines, handles) have no C value and are errors. */
/* clang-format on */
#include "events/value.h"

#include <math.h>
#include <string.h>

#include "state/context.h"
#include "state/slot.h"
#include "state/type.h"

enum { MAX_DEPTH = 100 };

static const int64_t max_exact = INT64_C(1) << 53;

/* -- to Lua ---------------------------------------------------------------------------- */

struct pointer {
    struct shl_object base;
    void *data; /* NULL once finalised */
    sh_batch keep;
};

static const struct shl_type pointer_type;

static int pointer_gc(lua_State *L)
{
    struct pointer *pointer = shl_type_test(L, 1, &pointer_type);
    if (pointer) {
        sh_batch_unref(pointer->keep);
        pointer->keep = (sh_batch){0};
        pointer->data = NULL;
    }
    return 0;
}

static int pointer_eq(lua_State *L)
{
    const struct pointer *a = shl_type_test(L, 1, &pointer_type);
    const struct pointer *b = shl_type_test(L, 2, &pointer_type);
    lua_pushboolean(L, a && b && a->data == b->data);
    return 1;
}

static int pointer_tostring(lua_State *L)
{
    const struct pointer *pointer = shl_type_check(L, 1, &pointer_type);
    lua_pushfstring(L, "pointer: %p", pointer->data);
    return 1;
}

static const luaL_Reg pointer_metamethods[] = {
    {"__gc", pointer_gc},
    {"__eq", pointer_eq},
    {"__tostring", pointer_tostring},
    {NULL, NULL},
};

static const struct shl_type pointer_type = {
    .name = "stagehost.pointer",
    .noun = "a pointer",
    .metamethods = pointer_metamethods,
};

static void push_pointer(lua_State *L, void *data, sh_batch keep)
{
    struct pointer *pointer = shl_type_new(L, &pointer_type, sizeof *pointer);
    pointer->data = data;
    pointer->keep = sh_batch_ref(keep);
}

static void push_integer(lua_State *L, int64_t integer)
{
    if (integer >= -max_exact && integer <= max_exact) {
        lua_pushnumber(L, (lua_Number)integer);
        return;
    }
    shl_helper_push(shl_context(L), L, SHL_HELPER_INT64);
    lua_pushnumber(L, (lua_Number)(integer >> 32));
    lua_pushnumber(L, (lua_Number)(integer & 0xffffffff));
    lua_call(L, 2, 1);
}

static void push_list(lua_State *L, const sh_value *items, size_t n, sh_batch keep)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        shl_value_push(L, &items[i], keep);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_map(lua_State *L, const sh_value *items, size_t n, sh_batch keep)
{
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        const sh_value *key = &items[2 * i];
        if (key->type == SH_NIL || (key->type == SH_NUMBER && isnan(key->u.number)))
            luaL_error(L, "a map with the key %s has no Lua value",
                       key->type == SH_NIL ? "nil" : "NaN");
        shl_value_push(L, key, keep);
        shl_value_push(L, key + 1, keep);
        lua_rawset(L, -3);
    }
}

void shl_value_push(lua_State *L, const sh_value *value, sh_batch keep)
{
    luaL_checkstack(L, 8, "a C value is nested too deep");
    switch (value->type) {
    case SH_NIL:
        lua_pushnil(L);
        return;
    case SH_BOOLEAN:
        lua_pushboolean(L, value->u.boolean);
        return;
    case SH_INTEGER:
        push_integer(L, value->u.integer);
        return;
    case SH_NUMBER:
        lua_pushnumber(L, value->u.number);
        return;
    case SH_STRING:
        lua_pushlstring(L, value->u.string.data ? value->u.string.data : "",
                        value->u.string.len);
        return;
    case SH_POINTER:
        push_pointer(L, value->u.pointer.data, keep);
        return;
    case SH_LIST:
        push_list(L, value->u.list.items, value->u.list.n, keep);
        return;
    case SH_MAP:
        push_map(L, value->u.map.items, value->u.map.n, keep);
        return;
    }
}

void shl_values_push(lua_State *L, sh_batch batch)
{
    const sh_value *values = sh_batch_values(batch);
    if (values)
        push_list(L, values, batch.n, batch);
    else
        luaL_error(L, "events of %s have no Lua value", batch.list->ops->name);
}

/* -- to C ------------------------------------------------------------------------------ */

/* Strings stay where they are, in the tables being read; arrays of values are userdata kept in a
 * table, so that an error frees them. */
struct reader {
    lua_State *L;
    int anchor; /* index of that table */
    int n;
};

static void get_value(struct reader *reader, int index, sh_value *out, int depth);

static sh_value *new_items(struct reader *reader, size_t n)
{
    size_t size = (n ? n : 1) * sizeof(sh_value);
    sh_value *items = memset(lua_newuserdata(reader->L, size), 0, size);
    lua_rawseti(reader->L, reader->anchor, ++reader->n);
    return items;
}

static size_t count_pairs(lua_State *L, int index)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        n++;
    return n;
}

static void get_list(struct reader *reader, int index, size_t n, sh_value *items, int depth)
{
    lua_State *L = reader->L;
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        get_value(reader, lua_gettop(L), &items[i], depth);
        lua_pop(L, 1);
    }
}

static void get_map(struct reader *reader, int index, sh_value *items, int depth)
{
    lua_State *L = reader->L;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) { /* key, value */
        int top = lua_gettop(L);
        get_value(reader, top - 1, items++, depth);
        get_value(reader, top, items++, depth);
    }
}

static void get_table(struct reader *reader, int index, sh_value *out, int depth)
{
    size_t n = count_pairs(reader->L, index);
    if (depth >= MAX_DEPTH)
        luaL_error(reader->L,
                   "a table nested deeper than %d has no C value (is it a cycle?)",
                   MAX_DEPTH);
    if (n == lua_objlen(reader->L, index)) {
        *out = (sh_value){.type = SH_LIST, .u.list = {new_items(reader, n), n}};
        get_list(reader, index, n, out->u.list.items, depth + 1);
    } else {
        *out = (sh_value){.type = SH_MAP, .u.map = {new_items(reader, 2 * n), n}};
        get_map(reader, index, out->u.map.items, depth + 1);
    }
}

static void get_number(double number, sh_value *out)
{
    bool is_integral = number == floor(number) && fabs(number) <= (double)max_exact;
    if (is_integral && !(number == 0 && signbit(number)))
        *out = (sh_value){.type = SH_INTEGER, .u.integer = (int64_t)number};
    else
        *out = (sh_value){.type = SH_NUMBER, .u.number = number};
}

static void get_boxed(lua_State *L, int index, sh_value *out)
{
    shl_helper_push(shl_context(L), L, SHL_HELPER_HALVES);
    lua_pushvalue(L, index);
    lua_call(L, 1, 2);
    if (lua_isnil(L, -2) || lua_tonumber(L, -2) > INT32_MAX)
        luaL_error(L, "a cdata that is not a signed 64-bit integer has no C value");
    int64_t high = (int64_t)lua_tonumber(L, -2);
    *out = (sh_value){.type = SH_INTEGER,
                      .u.integer =
                          (int64_t)((uint64_t)high << 32 | (uint64_t)lua_tonumber(L, -1))};
    lua_pop(L, 2);
}

static void get_value(struct reader *reader, int index, sh_value *out, int depth)
{
    lua_State *L = reader->L;
    luaL_checkstack(L, 8, "a Lua value is too big for C");
    const struct pointer *pointer;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        out->type = SH_NIL;
        return;
    case LUA_TBOOLEAN:
        *out = (sh_value){.type = SH_BOOLEAN, .u.boolean = lua_toboolean(L, index)};
        return;
    case LUA_TNUMBER:
        get_number(lua_tonumber(L, index), out);
        return;
    case LUA_TSTRING:
        out->type = SH_STRING;
        out->u.string.data = lua_tolstring(L, index, &out->u.string.len);
        return;
    case LUA_TTABLE:
        get_table(reader, index, out, depth);
        return;
    case LUA_TLIGHTUSERDATA:
        *out = (sh_value){.type = SH_POINTER, .u.pointer.data = lua_touserdata(L, index)};
        return;
    case LUA_TUSERDATA:
        if ((pointer = shl_type_test(L, index, &pointer_type)) == NULL)
            break;
        *out = (sh_value){.type = SH_POINTER, .u.pointer.data = pointer->data};
        return;
    }
    if (strcmp(luaL_typename(L, index), "cdata") == 0)
        get_boxed(L, index, out);
    else
        luaL_error(L, "a %s has no C value", luaL_typename(L, index));
}

int shl_values_take(lua_State *L, int index, uint32_t n, sh_batch *out)
{
    lua_newtable(L);
    struct reader reader = {.L = L, .anchor = lua_gettop(L)};
    sh_value *values = new_items(&reader, n);
    get_list(&reader, index, n, values, 0);
    int status = sh_batch_from_values(values, n, out);
    lua_pop(L, 1);
    return status;
}

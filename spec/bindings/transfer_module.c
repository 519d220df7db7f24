/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* For transfer_spec.lua: bindings/events/transfer.c between Lua states that the spec makes, with
 * stand-ins for the handles, which are only counted. A module of its own, so that neither a
 * host nor the rest of bindings/ is needed.
 *
 *   state = new_state(package_path)     a state with the globals stage(i) and subscription(i)
 *   state:run(code, ...) -> ...         strings, numbers, booleans, nil; raises
 *   state:encode_events(code, first, n) -> parcel | nil, message, code
 *   state:encode_value(code) -> parcel | nil, message, code
 *   state:decode_events(parcel, name) -> n | nil, message, code; the value: a global
 *   state:encode_start(code) -> parcel | nil, message, code
 *   state:decode_value(parcel, name) -> true | nil, message, code; also for a start
 *   state:fail_allocation(n)            the n-th from now on, and all after it; 0: none
 *   state:close()
 *   #parcel, parcel:cut(len) -> parcel, parcel:flip(offset) -> parcel, parcel:drop()
 *   handle_refs() -> references to all handles together */
/* clang-format on */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "events/transfer.h"
#include "handle_stand_ins.h"
#include "state/call.h"

#define STATE  "transfer_module.state"
#define PARCEL "transfer_module.parcel"

/* -- states ---------------------------------------------------------------------------- */

/* What a damaged parcel asks for is refused. */
enum { MAX_BLOCK = 64 << 20 };

struct state {
    lua_State *L;
    long allocations_left; /* before they fail; < 0: for ever */
};

static void *allocate(void *data, void *block, size_t old_size, size_t size)
{
    struct state *state = data;
    if (size == 0) {
        free(block);
        return NULL;
    }
    bool is_growth = !block || size > old_size;
    if (is_growth && (state->allocations_left == 0 || size > MAX_BLOCK))
        return NULL;
    if (is_growth && state->allocations_left > 0)
        state->allocations_left--;
    return realloc(block, size);
}

static struct state *check_state(lua_State *L)
{
    struct state *state = luaL_checkudata(L, 1, STATE);
    luaL_argcheck(L, state->L, 1, "closed");
    return state;
}

/* Stands in for the gateway of call.c, which looks at the C stack of a worker. */
int shl_try(lua_State *L, int nargs, int nresults)
{
    return lua_pcall(L, nargs, nresults, 0);
}

/* recode(list, n): a copy, by way of a parcel in the same state. */
static int global_recode(lua_State *S)
{
    sh_parcel parcel;
    sh_error *error;
    uint32_t n = (uint32_t)luaL_checkinteger(S, 2);
    lua_settop(S, 1);
    int status = shl_encode_events(S, 0, n, &parcel, &error);
    if (status == SH_OK) {
        status = shl_decode_events(S, &parcel, &n, &error);
        sh_parcel_free(&parcel);
    }
    if (status != SH_OK) {
        sh_error_unref(error);
        return luaL_error(S, "recode: %s", sh_err_name(status));
    }
    return 1;
}

static int open_state(lua_State *S)
{
    luaL_openlibs(S);
    lua_getglobal(S, "package");
    lua_pushvalue(S, 1);
    lua_setfield(S, -2, "path");
    open_handles(S);
    lua_register(S, "recode", global_recode);
    return shl_transfer_open(S);
}

/* Raises in L what failed in S. */
static void check_call(lua_State *L, lua_State *S, int status)
{
    if (status == 0)
        return;
    lua_pushfstring(L, "in the other state: %s", lua_tostring(S, -1));
    lua_settop(S, 0);
    lua_error(L);
}

static int new_state(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct state *state = lua_newuserdata(L, sizeof *state);
    *state = (struct state){.allocations_left = -1};
    luaL_getmetatable(L, STATE);
    lua_setmetatable(L, -2);
    lua_State *S = state->L = lua_newstate(allocate, state);
    lua_pushcfunction(S, open_state);
    lua_pushstring(S, path);
    check_call(L, S, lua_pcall(S, 1, 0, 0));
    return 1;
}

static int close_state(lua_State *L)
{
    struct state *state = luaL_checkudata(L, 1, STATE);
    if (state->L)
        lua_close(state->L);
    state->L = NULL;
    return 0;
}

static void copy_simple(lua_State *from, int index, lua_State *to)
{
    size_t len;
    switch (lua_type(from, index)) {
    case LUA_TNUMBER:
        lua_pushnumber(to, lua_tonumber(from, index));
        break;
    case LUA_TBOOLEAN:
        lua_pushboolean(to, lua_toboolean(from, index));
        break;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(from, index, &len);
        lua_pushlstring(to, text, len);
        break;
    }
    default:
        lua_pushnil(to);
    }
}

/* Runs the code at index 2 of L, with the values above as arguments; n_results are left on
 * S. */
static void run_code(lua_State *L, lua_State *S, int n_args, int n_results)
{
    size_t len;
    const char *code = luaL_checklstring(L, 2, &len);
    check_call(L, S, luaL_loadbuffer(S, code, len, "=spec"));
    for (int i = 0; i < n_args; i++)
        copy_simple(L, 3 + i, S);
    check_call(L, S, lua_pcall(S, n_args, n_results, 0));
}

static int state_run(lua_State *L)
{
    struct state *state = check_state(L);
    run_code(L, state->L, lua_gettop(L) - 2, LUA_MULTRET);
    int n = lua_gettop(state->L);
    for (int i = 1; i <= n; i++)
        copy_simple(state->L, i, L);
    lua_settop(state->L, 0);
    return n;
}

static int state_fail_allocation(lua_State *L)
{
    check_state(L)->allocations_left = (long)luaL_checkinteger(L, 2) - 1;
    return 0;
}

/* -- parcels --------------------------------------------------------------------------- */

static sh_parcel *push_parcel(lua_State *L)
{
    sh_parcel *parcel = lua_newuserdata(L, sizeof *parcel);
    *parcel = (sh_parcel){0};
    luaL_getmetatable(L, PARCEL);
    lua_setmetatable(L, -2);
    return parcel;
}

static int return_failure(lua_State *L, int status, sh_error *error)
{
    lua_pushnil(L);
    lua_pushstring(L, sh_error_get(error)->message);
    lua_pushstring(L, sh_err_name(status));
    sh_error_unref(error);
    return 3;
}

/* Calls what needs the state, then looks that its stack is as it was. */
static int finish_encode(lua_State *L, struct state *state, int status, sh_error *error)
{
    int height = lua_gettop(state->L);
    state->allocations_left = -1;
    lua_settop(state->L, 0);
    if (height != 1) {
        sh_error_unref(error);
        return luaL_error(L, "stack of the state: %d", height);
    }
    return status == SH_OK ? 1 : return_failure(L, status, error);
}

static int state_encode_events(lua_State *L)
{
    struct state *state = check_state(L);
    uint32_t first = (uint32_t)luaL_checkinteger(L, 3);
    uint32_t n = (uint32_t)luaL_checkinteger(L, 4);
    sh_parcel *parcel = push_parcel(L);
    sh_error *error = NULL;
    run_code(L, state->L, 0, 1);
    int status = shl_encode_events(state->L, first, n, parcel, &error);
    return finish_encode(L, state, status, error);
}

typedef int encode(lua_State *L, sh_parcel *out, sh_error **error);

static int encode_top(lua_State *L, encode *f)
{
    struct state *state = check_state(L);
    sh_parcel *parcel = push_parcel(L);
    sh_error *error = NULL;
    run_code(L, state->L, 0, 1);
    int status = f(state->L, parcel, &error);
    return finish_encode(L, state, status, error);
}

static int state_encode_value(lua_State *L)
{
    return encode_top(L, shl_encode_value);
}

static int state_encode_start(lua_State *L)
{
    return encode_top(L, shl_encode_start);
}

static int finish_decode(lua_State *L, struct state *state, int status, sh_error *error)
{
    int height = lua_gettop(state->L);
    state->allocations_left = -1;
    if (status == SH_OK && height == 1)
        lua_setglobal(state->L, luaL_checkstring(L, 3));
    lua_settop(state->L, 0);
    if (height != (status == SH_OK)) {
        sh_error_unref(error);
        return luaL_error(L, "stack of the state: %d", height);
    }
    return status == SH_OK ? 1 : return_failure(L, status, error);
}

static int state_decode_events(lua_State *L)
{
    struct state *state = check_state(L);
    sh_parcel *parcel = luaL_checkudata(L, 2, PARCEL);
    uint32_t n = 0;
    sh_error *error = NULL;
    int status = shl_decode_events(state->L, parcel, &n, &error);
    lua_pushnumber(L, n);
    return finish_decode(L, state, status, error);
}

static int state_decode_value(lua_State *L)
{
    struct state *state = check_state(L);
    sh_parcel *parcel = luaL_checkudata(L, 2, PARCEL);
    sh_error *error = NULL;
    int status = shl_decode_value(state->L, parcel, &error);
    lua_pushboolean(L, 1);
    return finish_decode(L, state, status, error);
}

static int parcel_len(lua_State *L)
{
    sh_parcel *parcel = luaL_checkudata(L, 1, PARCEL);
    lua_pushnumber(L, (lua_Number)parcel->len);
    return 1;
}

static int parcel_drop(lua_State *L)
{
    sh_parcel *parcel = luaL_checkudata(L, 1, PARCEL);
    sh_parcel_free(parcel);
    *parcel = (sh_parcel){0};
    return 0;
}

/* The first `len` bytes; it has no references. */
static int parcel_cut(lua_State *L)
{
    sh_parcel *parcel = luaL_checkudata(L, 1, PARCEL);
    size_t len = (size_t)luaL_checkinteger(L, 2);
    sh_parcel *part = push_parcel(L);
    part->data = sh_malloc(len);
    part->len = len;
    memcpy(part->data, parcel->data, len);
    return 1;
}

/* A copy with one byte changed. */
static int parcel_flip(lua_State *L)
{
    size_t offset = (size_t)luaL_checkinteger(L, 2);
    int mask = (int)luaL_checkinteger(L, 3);
    lua_pushcfunction(L, parcel_cut);
    lua_pushvalue(L, 1);
    lua_pushnumber(L, (lua_Number)((sh_parcel *)luaL_checkudata(L, 1, PARCEL))->len);
    lua_call(L, 2, 1);
    unsigned char *bytes = ((sh_parcel *)lua_touserdata(L, -1))->data;
    bytes[offset] ^= (unsigned char)mask;
    return 1;
}

/* -- module ---------------------------------------------------------------------------- */

static const luaL_Reg state_methods[] = {
    {"run", state_run},
    {"encode_events", state_encode_events},
    {"encode_value", state_encode_value},
    {"encode_start", state_encode_start},
    {"decode_events", state_decode_events},
    {"decode_value", state_decode_value},
    {"fail_allocation", state_fail_allocation},
    {"close", close_state},
    {"__gc", close_state},
    {NULL, NULL},
};

static const luaL_Reg parcel_methods[] = {
    {"cut", parcel_cut},   {"flip", parcel_flip}, {"drop", parcel_drop},
    {"__len", parcel_len}, {"__gc", parcel_drop}, {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new_state", new_state},
    {"handle_refs", count_handle_refs},
    {NULL, NULL},
};

static void register_class(lua_State *L, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_register(L, NULL, methods);
    lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_transfer_module(lua_State *L)
{
    register_class(L, STATE, state_methods);
    register_class(L, PARCEL, parcel_methods);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}

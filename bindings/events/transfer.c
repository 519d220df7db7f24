/* SPDX-License-Identifier: MIT
 *
 * The C half of lua/stagehost/engine/transfer/, which has the serializer: it calls the
 * serializer's functions, protected, and puts the bytes that they leave in the span in parcels. */
#include "events/transfer.h"

#include <assert.h>

#include "events/transfer_parcel.h"
#include "state/call.h"
#include "state/chunk.h"
#include "state/handle.h"

/* The functions of the coder, and the decoder of each kind of parcel. */
enum {
    ENCODE_EVENTS,
    ENCODE_GRAPH,
    ENCODE_VALUE,
    ENCODE_START,
    DECODE,
    N_FUNCTIONS = DECODE + SHL_N_PARCEL_KINDS
};

static const char *const function_names[N_FUNCTIONS] = {
    [ENCODE_EVENTS] = "encode_events",
    [ENCODE_GRAPH] = "encode_graph",
    [ENCODE_VALUE] = "encode_value",
    [ENCODE_START] = "encode_start",
    [DECODE + SHL_PARCEL_NUMBERS] = "decode_numbers",
    [DECODE + SHL_PARCEL_KEYED] = "decode_keyed",
    [DECODE + SHL_PARCEL_EVENTS] = "decode_events",
    [DECODE + SHL_PARCEL_GRAPH] = "decode_graph",
    [DECODE + SHL_PARCEL_VALUE] = "decode_value",
    [DECODE + SHL_PARCEL_START] = "decode_start",
};

/* A userdata in the registry of each state. */
struct transfer {
    /* First: transfer.lua has its address. Set by the last call of an encode function. */
    struct {
        const void *data;
        size_t len;
    } span;
    const struct shl_parcel_view *incoming; /* for decode_protected */
    int functions[N_FUNCTIONS];
    int decode_protected;
};

static char transfer_key;

static struct transfer *find_transfer(lua_State *L)
{
    lua_pushlightuserdata(L, &transfer_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct transfer *transfer = lua_touserdata(L, -1);
    lua_pop(L, 1);
    assert(transfer && "shl_transfer_open() comes first");
    return transfer;
}

/* -- errors ---------------------------------------------------------------------------- */

static int fail(sh_error **error, int code, const char *message)
{
    *error = sh_error_fmt(SH_REASON_RAISED, code, "transfer", "%s", message);
    return code;
}

static int fail_memory(sh_error **error)
{
    return fail(error, SH_ENOMEM, "out of memory while a value crosses to another worker");
}

/* A failed call left its message on top of L. */
static int fail_call(lua_State *L, int status, sh_error **error)
{
    if (status == LUA_ERRMEM)
        return fail_memory(error);
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    return fail(error, SH_EFAILED, message ? message : "unknown error");
}

/* -- encoding -------------------------------------------------------------------------- */

/* Function and arguments are on L; one result is left on success: the handles, nil for none, or the
 * kind of the parcel. */
static int encode_body(lua_State *L, int n_args, struct transfer *transfer,
                       struct shl_parcel_view *view, sh_parcel *out, sh_error **error)
{
    int status = shl_try(L, n_args, 1);
    if (status)
        return fail_call(L, status, error);
    view->body = transfer->span.data;
    view->len = transfer->span.len;
    if (lua_type(L, -1) == LUA_TNUMBER)
        view->kind = (enum shl_parcel_kind)lua_tonumber(L, -1);
    int handles = lua_istable(L, -1) ? lua_gettop(L) : 0;
    return shl_parcel_new(L, view, handles, out) == SH_OK ? SH_OK : fail_memory(error);
}

static int push_call(lua_State *L, const struct transfer *transfer, int function, int value)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, transfer->functions[function]);
    lua_pushvalue(L, value);
    return 1;
}

static int push_range(lua_State *L, uint32_t first, uint32_t n)
{
    lua_pushnumber(L, first);
    lua_pushnumber(L, n);
    return 2;
}

/* The error of the serializer says what it can't take, but not where: then the slow way, which
 * takes more kinds of values, finds the place. */
static int encode_list(lua_State *L, int list, uint32_t first, uint32_t n, sh_parcel *out,
                       sh_error **error)
{
    struct transfer *transfer = find_transfer(L);
    struct shl_parcel_view view = {.kind = SHL_PARCEL_EVENTS, .n = n};
    bool whole = first == 0 && lua_objlen(L, list) <= n;

    int n_args = push_call(L, transfer, ENCODE_EVENTS, list) + push_range(L, first, n) + 1;
    lua_pushboolean(L, whole);
    int status = encode_body(L, n_args, transfer, &view, out, error);
    if (status != SH_EFAILED)
        return status;

    sh_error_unref(*error);
    *error = NULL;
    view.kind = SHL_PARCEL_GRAPH;
    n_args = push_call(L, transfer, ENCODE_GRAPH, list) + push_range(L, first, n);
    return encode_body(L, n_args, transfer, &view, out, error);
}

int shl_encode_events(lua_State *L, uint32_t first, uint32_t n, sh_parcel *out,
                      sh_error **error)
{
    int top = lua_gettop(L);
    *error = NULL;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return fail_memory(error);
    int status = encode_list(L, top, first, n, out, error);
    lua_settop(L, top);
    return status;
}

static int encode_top(lua_State *L, int function, enum shl_parcel_kind kind, sh_parcel *out,
                      sh_error **error)
{
    int top = lua_gettop(L);
    *error = NULL;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return fail_memory(error);
    struct transfer *transfer = find_transfer(L);
    struct shl_parcel_view view = {.kind = kind, .n = 1};
    int n_args = push_call(L, transfer, function, top);
    int status = encode_body(L, n_args, transfer, &view, out, error);
    lua_settop(L, top);
    return status;
}

int shl_encode_value(lua_State *L, sh_parcel *out, sh_error **error)
{
    return encode_top(L, ENCODE_VALUE, SHL_PARCEL_VALUE, out, error);
}

int shl_encode_start(lua_State *L, sh_parcel *out, sh_error **error)
{
    return encode_top(L, ENCODE_START, SHL_PARCEL_START, out, error);
}

/* -- decoding -------------------------------------------------------------------------- */

static int decode_protected(lua_State *L)
{
    struct transfer *transfer = find_transfer(L);
    const struct shl_parcel_view *view = transfer->incoming;
    lua_rawgeti(L, LUA_REGISTRYINDEX, transfer->functions[DECODE + (int)view->kind]);
    lua_pushlightuserdata(L, (void *)view->body);
    lua_pushnumber(L, (lua_Number)view->len);
    if (view->kind < SHL_PARCEL_GRAPH)
        lua_pushnil(L);
    else
        shl_parcel_push_handles(L, view);
    lua_call(L, 3, 1);
    return 1;
}

static int decode(lua_State *L, const struct shl_parcel_view *view, sh_error **error)
{
    if (!lua_checkstack(L, LUA_MINSTACK))
        return fail_memory(error);
    struct transfer *transfer = find_transfer(L);
    transfer->incoming = view;
    lua_rawgeti(L, LUA_REGISTRYINDEX, transfer->decode_protected);
    int status = shl_try(L, 0, 1);
    if (status == 0)
        return SH_OK;
    int code = fail_call(L, status, error);
    lua_pop(L, 1);
    return code;
}

int shl_decode_events(lua_State *L, const sh_parcel *parcel, uint32_t *n, sh_error **error)
{
    struct shl_parcel_view view;
    *error = NULL;
    if (!shl_parcel_read(parcel, &view) || view.kind > SHL_PARCEL_GRAPH)
        return fail(error, SH_EFAILED, "an incomplete parcel of events");
    *n = view.n;
    return decode(L, &view, error);
}

int shl_decode_value(lua_State *L, const sh_parcel *parcel, sh_error **error)
{
    struct shl_parcel_view view;
    *error = NULL;
    if (!shl_parcel_read(parcel, &view) || view.kind < SHL_PARCEL_VALUE)
        return fail(error, SH_EFAILED, "an incomplete parcel of a value");
    return decode(L, &view, error);
}

/* -- opening --------------------------------------------------------------------------- */

/* userdata_kind(value) of the Lua half. */
static int classify_userdata(lua_State *L)
{
    if (lua_islightuserdata(L, 1))
        lua_pushliteral(L, "light");
    else if (shl_test_stage(L, 1) || shl_test_subscription(L, 1))
        lua_pushliteral(L, "handle");
    else
        lua_pushnil(L);
    return 1;
}

/* Calls open() of the Lua half and leaves the coder on L. */
static void push_coder(lua_State *L, struct transfer *transfer)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.engine.transfer");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    lua_remove(L, -2);
    lua_pushlightuserdata(L, &transfer->span);
    lua_pushcfunction(L, classify_userdata);
    luaL_newmetatable(L, "stagehost.error");
    lua_pushcfunction(L, shl_chunk_load_dump);
    lua_call(L, 4, 1);
}

void shl_transfer_note_library(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.engine.transfer.names");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    lua_call(L, 0, 0);
    lua_pop(L, 1);
}

int shl_transfer_open(lua_State *L)
{
    lua_pushlightuserdata(L, &transfer_key);
    struct transfer *transfer = lua_newuserdata(L, sizeof *transfer);
    *transfer = (struct transfer){.decode_protected = LUA_NOREF};
    push_coder(L, transfer);
    for (int i = 0; i < N_FUNCTIONS; i++) {
        lua_getfield(L, -1, function_names[i]);
        transfer->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_pop(L, 1);
    lua_pushcfunction(L, decode_protected);
    transfer->decode_protected = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return SH_OK;
}

/* SPDX-License-Identifier: MIT
 *
 * Starting stages. The options that must be known before a stage exists (kind, name, worker) go to
 * the core at once; all others travel with the definition (options/init_options.c). */
#include "objects/stage_start.h"

#include "callbacks/request.h"
#include "callbacks/stage.h"
#include "callbacks/start.h"
#include "callbacks/wait.h"
#include "options/field.h"
#include "state/context.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/raise.h"
#include "state/words.h"

static sh_kind kind_field(lua_State *L, int index)
{
    return (sh_kind)shl_word_field(L, index, "kind", shl_kind_words);
}

/* The worker: an index, "any", or none, which means the starter's. */
static int worker_field(lua_State *L, int index)
{
    lua_getfield(L, index, "worker");
    int worker = lua_isnil(L, -1)                 ? 0
                 : lua_type(L, -1) == LUA_TSTRING ? SH_WORKER_ANY
                                                  : (int)lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    return worker;
}

static int convert_started(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)value;
    if (status < 0)
        return shl_return_failure(L, status, error);
    lua_pushboolean(L, 1);
    return 1;
}

/* A taken name is an expected failure; others are mistakes in the script or its data. */
static int refuse_start(lua_State *L, int status, sh_error *error)
{
    if (status != SH_EEXIST)
        return shl_raise(L, "stagehost.start", status, error);
    int n = shl_return_failure(L, status, error);
    sh_error_unref(error);
    return n;
}

/* Sends the new stage the field `question` of the table at index 2, if it has one; that table gets
 * the request and its number in `asked` and `ref`. This is done before the start is awaited, so
 * that the question is there before the stage can end. */
static void ask(lua_State *L, sh_stage *stage)
{
    lua_getfield(L, 2, "question");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    shl_request_send(L, stage);
    lua_setfield(L, 2, "asked");
    lua_setfield(L, 2, "ref");
}

/* start(definition, request of options.start) -> true | nil, message, reason; the handle is
 * left in request.stage, since a waiting C function can keep no value. */
static int start(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    sh_from from = shl_wait_begin(L);
    lua_settop(L, 2);
    lua_getfield(L, 2, "args");
    lua_getfield(L, 2, "options");
    lua_getfield(L, 2, "name"); /* definition, request, args, options, name */
    sh_stage_opts opts = {
        .kind = kind_field(L, 2),
        .name = lua_tostring(L, 5),
        .worker = worker_field(L, 2),
        .link = shl_boolean_field(L, 2, "link") ? from.stage : NULL,
        .supervised = shl_boolean_field(L, 2, "supervised"),
        .has_results = shl_boolean_field(L, 2, "has_results"),
    };
    opts.ops = shl_stage_ops_for(L, 1, opts.kind);
    void **holder = shl_push_stage_holder(L);
    opts.arg = shl_start_new(L, 1, 3, 4);
    sh_stage *stage = NULL;
    sh_error *error = NULL;
    int status = sh_stage_start(ctx->worker, &opts, from, &stage, &error);
    *holder = stage;
    if (status < 0)
        return refuse_start(L, status, error);
    shl_push_stage(L, stage);
    lua_setfield(L, 2, "stage");
    ask(L, stage);
    return shl_wait_building(L, from, convert_started);
}

const luaL_Reg shl_stage_start_functions[] = {
    {"start", start},
    {NULL, NULL},
};

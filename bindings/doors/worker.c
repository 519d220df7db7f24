/* SPDX-License-Identifier: MIT
 *
 * A worker's Lua state: made by the worker's open hook, closed by its close hook. */
#include "doors/worker.h"

#include <assert.h>
#include <lualib.h>
#include <string.h>

#include "callbacks/start.h"
#include "callbacks/verdict.h"
#include "callbacks/wait.h"
#include "doors/module.h"
#include "events/batch.h"
#include "events/transfer.h"
#include "events/value.h"
#include "native/native.h"
#include "state/call.h"
#include "state/chunk.h"
#include "state/error.h"
#include "state/interrupt.h"
#include "state/leave.h"
#include "state/loop.h"
#include "state/output.h"
#include "state/search.h"
#include "state/slot.h"

/* -- modules --------------------------------------------------------------------------- */

/* -l: the module becomes the global of its last name, if it returns a value. */
static void require_library(lua_State *L, const char *name)
{
    const char *dot = strrchr(name, '.');
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    if (lua_isboolean(L, -1))
        lua_pop(L, 1);
    else
        lua_setglobal(L, dot ? dot + 1 : name);
}

/* Keeps the value on top as a helper; pops it. */
static void keep_helper(struct shl_context *ctx, lua_State *L, enum shl_helper helper)
{
    ctx->helpers[helper] = shl_slot_take(ctx, L);
}

static void require_helper(struct shl_context *ctx, lua_State *L, const char *module,
                           const char *field, enum shl_helper helper)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, field);
    keep_helper(ctx, L, helper);
    lua_pop(L, 1);
}

/* lua/stagehost/engine/nest.lua, given the wait token, makes coroutines pass engine waits on. */
static void open_nesting(struct shl_context *ctx, lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.engine.nest");
    lua_call(L, 1, 1);
    shl_push_wait_token(L);
    shl_guard_push_check(&ctx->guard, L);
    lua_call(L, 2, 0);
}

/* -- life ------------------------------------------------------------------------------ */

static int open_state(lua_State *L)
{
    struct shl_context *ctx = lua_touserdata(L, 1);
    shl_context_bind(ctx, L);
    ctx->guard.allow_bytecode = ctx->opts->allow_bytecode;
    luaL_openlibs(L);
    shl_guard_enter(&ctx->guard, L);
    shl_output_open(ctx, L);
    shl_exit_open(L);
    shl_chunk_open(&ctx->guard, L);
    lua_settop(L, 0);
    shl_search_open(L, &ctx->guard, ctx->opts);
    lua_pushliteral(L, "C stack overflow");
    keep_helper(ctx, L, SHL_HELPER_OVERFLOW);
    lua_pushcfunction(L, shl_traceback);
    keep_helper(ctx, L, SHL_HELPER_TRACEBACK);
    shl_places_open(L);
    keep_helper(ctx, L, SHL_HELPER_PLACES);
    shl_start_open(L);
    keep_helper(ctx, L, SHL_HELPER_CALLBACKS);
    require_helper(ctx, L, "stagehost.engine.batch", "copy", SHL_HELPER_COPY);
    require_helper(ctx, L, "stagehost.engine.batch", "find_nil", SHL_HELPER_FIND_NIL);
    require_helper(ctx, L, "stagehost.engine.batch", "int64", SHL_HELPER_INT64);
    require_helper(ctx, L, "stagehost.engine.batch", "halves", SHL_HELPER_HALVES);
    require_helper(ctx, L, "stagehost.engine.batch", "measure", SHL_HELPER_MEASURE);
    require_helper(ctx, L, "stagehost.engine.batch", "fill", SHL_HELPER_FILL);
    require_helper(ctx, L, "stagehost.engine.batch", "strings", SHL_HELPER_STRINGS);
    require_helper(ctx, L, "string.buffer", "encode", SHL_HELPER_ENCODE);
    require_helper(ctx, L, "string.buffer", "decode", SHL_HELPER_DECODE);
    open_nesting(ctx, L);
    shl_error_open(L);
    shl_verdict_open(ctx, L);
    shl_loop_open(L);
    shl_module_open(L);
    shl_native_open(L);
    if (shl_transfer_open(L) < 0)
        luaL_error(L, "not enough memory");
    return 0;
}

static int open_libraries(lua_State *L)
{
    const struct shl_context *ctx = lua_touserdata(L, 1);
    for (size_t i = 0; i < ctx->opts->n_libraries; i++)
        require_library(L, ctx->opts->libraries[i]);
    return 0;
}

/* Called before anything else, because everything else uses slots. */
static int open_slots(lua_State *L)
{
    shl_slots_open(lua_touserdata(L, 1), L);
    return 0;
}

struct shl_context *shl_worker_open(sh_worker *worker, const sh_lua_opts *opts,
                                    struct shl_board *board, sh_error **error)
{
    struct shl_context *ctx = sh_malloc(sizeof *ctx);
    if (!ctx)
        return NULL;
    *ctx = (struct shl_context){
        .worker = worker, .opts = opts, .board = board, .L = luaL_newstate()};
    if (!ctx->L)
        goto fail;
    *sh_worker_slot(worker) = ctx;
    shl_interrupt_open(ctx);
    if (shl_protect(ctx, open_slots, ctx, error) < 0 ||
        shl_protect(ctx, open_state, ctx, error) < 0 ||
        shl_protect(ctx, open_libraries, ctx, error) < 0)
        goto fail;
    assert(lua_gettop(ctx->L) == 0);
    return ctx;
fail:
    shl_worker_close(ctx);
    *sh_worker_slot(worker) = NULL;
    return NULL;
}

bool shl_worker_close(struct shl_context *ctx)
{
    shl_interrupt_open(NULL);
    if (ctx->L && !shl_loop_close(ctx)) {
        ctx->is_abandoned = true;
        return false;
    }
    if (ctx->L)
        lua_close(ctx->L);
    sh_error_unref(ctx->leave_error);
    shl_lists_free(ctx);
    shl_slots_free(ctx);
    sh_free(ctx);
    return true;
}

/* SPDX-License-Identifier: MIT
 *
 * luv on the worker's loop. It is opened when a script first requires it, bound to the loop
 * before (luv would make its own), with an error policy of ours (luv's own policy exits).
 * The handles it has open refer to the Lua state, so all of them must be closed before the
 * state is. */
#include "state/loop.h"

#include <luv/luv.h>

#include "state/call.h"
#include "state/chunk.h"
#include "state/embed.h"
#include "state/error.h"
#include "state/guard.h"
#include "state/leave.h"
#include "state/output.h"
#include "state/search.h"
#include "state/slot.h"

enum { PATIENCE_MS = 2000 };

/* -- errors ---------------------------------------------------------------------------- */

/* Takes the error; NULL: out of memory. */
static void fail_with(struct shl_context *ctx, sh_error *error)
{
    if (error)
        sh_worker_fail(ctx->worker, error);
    sh_error_unref(error);
}

void shl_loop_failed(struct shl_context *ctx, const char *text)
{
    fail_with(ctx, shl_error_of_text("a callback of luv", text));
}

/* Calls a callback of luv like luv_cfpcall, but its error is a failure of the host, and the
 * program goes on. */
static int call_from_loop(lua_State *L, int nargs, int nresults, int flags)
{
    (void)flags;
    struct shl_context *ctx = shl_context(L);
    int below = lua_gettop(L) - nargs - 1;
    if (ctx->is_abandoned) {
        lua_settop(L, below);
        return -LUA_ERRRUN;
    }
    bool is_outermost = sh_worker_begins(ctx->worker, "a callback of luv");
    int status = shl_pcall(L, nargs, nresults);
    if (is_outermost)
        sh_worker_ends(ctx->worker);
    enum shl_leave left = shl_leave_end(ctx);
    if (status == 0)
        return lua_gettop(L) - below;
    if (left == SHL_STAY)
        shl_loop_failed(ctx, lua_tostring(L, -1));
    else if (left == SHL_FAIL)
        fail_with(ctx, shl_leave_error(ctx));
    lua_settop(L, below);
    return -status;
}

/* Calls a callback in a state of luv's own threads, which has no host to report to: luv prints
 * the error, and does not exit. */
static int call_in_thread(lua_State *L, int nargs, int nresults, int flags)
{
    return luv_cfpcall(L, nargs, nresults, flags | LUVF_CALLBACK_NOEXIT);
}

/* The state of a luv thread runs scripts' functions like a worker's state. No engine wait can
 * happen in it, since it has no wait token. */
static void guard_thread_state(lua_State *L)
{
    static const char no_token;
    const struct shl_embedded *nest = shl_embedded_module("stagehost.engine.nest");
    struct shl_guard *guard = lua_newuserdata(L, sizeof *guard);
    *guard = (struct shl_guard){0};
    lua_setfield(L, LUA_REGISTRYINDEX, "stagehost.guard");
    shl_guard_enter(guard, L);
    shl_output_open_print(guard, L);
    shl_chunk_open(guard, L);
    shl_search_guard(L, guard);
    luaL_loadbuffer(L, nest->text, nest->len, nest->path);
    lua_call(L, 0, 1);
    lua_pushlightuserdata(L, (void *)&no_token);
    shl_guard_push_check(guard, L);
    lua_call(L, 2, 0);
}

static lua_State *acquire_thread_state(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    guard_thread_state(L);
    luv_set_thread(L, call_in_thread);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaded");
    luaopen_luv(L); /* always: it also sets up what luv itself needs in a thread */
    lua_setfield(L, -2, "luv");
    lua_settop(L, 0);
    return L;
}

static void set_thread_policy(void)
{
    luv_set_thread_cb(acquire_thread_state, lua_close);
}

/* -- opening --------------------------------------------------------------------------- */

/* package.preload.luv */
static int open_luv(lua_State *L)
{
    static uv_once_t once = UV_ONCE_INIT; /* the policy is luv's and process-wide */
    struct shl_context *ctx = shl_context(L);
    uv_once(&once, set_thread_policy);
    luv_set_loop(ctx->L, sh_worker_loop(ctx->worker));
    luv_set_callback(ctx->L, call_from_loop);
    lua_settop(L, 0);
    luaopen_luv(L); /* luv */
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.engine.loop");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, ctx->guard.allow_bytecode);
    lua_call(L, 2, 1); /* luv, closer */
    ctx->helpers[SHL_HELPER_LOOP] = shl_slot_take(ctx, L);
    return 1;
}

void shl_loop_open(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, open_luv);
    lua_setfield(L, -2, "luv");
    lua_pop(L, 2);
}

/* -- closing --------------------------------------------------------------------------- */

struct closing {
    uv_timer_t timer;
    bool is_late, is_closed;
};

static void on_late(uv_timer_t *timer)
{
    struct closing *closing = timer->data;
    closing->is_late = true;
    uv_stop(timer->loop); /* it may be about to wait for good */
}

static void on_closed(uv_handle_t *handle)
{
    struct closing *closing = handle->data;
    closing->is_closed = true;
}

/* Closes all open handles of luv; returns whether any is left. */
static bool close_some(struct shl_context *ctx)
{
    lua_State *L = ctx->L;
    shl_helper_push(ctx, L, SHL_HELPER_LOOP);
    bool any = shl_pcall(L, 0, 1) != 0 || lua_toboolean(L, -1);
    lua_pop(L, 1);
    return any;
}

bool shl_loop_close(struct shl_context *ctx)
{
    if (!ctx->helpers[SHL_HELPER_LOOP])
        return true;
    uv_loop_t *loop = sh_worker_loop(ctx->worker);
    struct closing closing = {.is_late = false};
    uv_timer_init(loop, &closing.timer);
    closing.timer.data = &closing;
    uv_update_time(loop); /* another worker may have kept this one waiting */
    uv_timer_start(&closing.timer, on_late, PATIENCE_MS, 0);
    bool is_open = true;
    while ((is_open = close_some(ctx)) && !closing.is_late)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&closing.timer, on_closed);
    while (!closing.is_closed)
        uv_run(loop, UV_RUN_ONCE);
    return !is_open;
}

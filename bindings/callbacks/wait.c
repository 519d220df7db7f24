/* SPDX-License-Identifier: MIT
 *
 * Suspending the current stage. A function that waits sends a request whose answer goes to the
 * stage's handle_reply, then yields the wait token. The script's own coroutines pass the token
 * on (lua/stagehost/engine/nest.lua) until it reaches shl_callback_run. */
#include "callbacks/wait.h"

#include "state/number.h"
#include "state/type.h"

static const char wait_token; /* its address */

void shl_push_wait_token(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&wait_token);
}

bool shl_is_wait_token(lua_State *L, int index)
{
    return lua_touserdata(L, index) == &wait_token;
}

/* The reason why the code that runs in L can't wait, or NULL. */
static const char *obstacle(lua_State *L, const struct shl_context *ctx)
{
    if (ctx->still)
        return lua_pushfstring(L, "%s must not wait", ctx->still);
    if (!ctx->current)
        return "only a callback of a stage can wait, and none is running (is it a callback "
               "of luv?)";
    if (!lua_isyieldable(L))
        return "can't wait inside a C function (table.sort, string.gsub, require, ...)";
    return NULL;
}

sh_from shl_wait_begin(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    /* A wait reads its arguments first, and the __index of a table among them may wait, too. */
    shl_guard_check(&ctx->guard, L);
    const char *why = obstacle(L, ctx);
    if (why)
        luaL_error(L, "%s", why);
    struct shl_stage *s = ctx->current;
    return (sh_from){s ? s->self : NULL, ++ctx->next_ref};
}

int shl_wait_building(lua_State *L, sh_from from, shl_convert convert)
{
    struct shl_stage *s = shl_context(L)->current;
    s->waiting = from.ref;
    s->convert = convert;
    shl_push_wait_token(L);
    return lua_yield(L, 1);
}

int shl_wait(lua_State *L, sh_from from, shl_convert convert)
{
    sh_stage_builds(from.stage, false);
    return shl_wait_building(L, from, convert);
}

static int convert_nothing(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)L, (void)status, (void)value, (void)error;
    return 0;
}

/* -- sleep ----------------------------------------------------------------------------- */

/* sleep(ms) */
static int wait_sleep(lua_State *L)
{
    uint64_t ms = shl_check_ms(L, 1, 0);
    sh_from from = shl_wait_begin(L);
    uint64_t timer;
    int status = sh_timer_wake(from.stage, ms, from.ref, &timer);
    if (status < 0)
        return luaL_error(L, "sleep: %s", sh_strerror(status));
    return shl_wait(L, from, convert_nothing);
}

/* settle(): waits until no stage of this worker has anything to do */
static int wait_settle(lua_State *L)
{
    sh_from from = shl_wait_begin(L);
    int status = sh_worker_await_idle(shl_context(L)->worker, from);
    if (status < 0)
        return luaL_error(L, "settle: another stage of this worker waits for that");
    return shl_wait(L, from, convert_nothing);
}

/* -- the parts of await: a waker is a request that the script itself answers ----------- */

struct waker {
    struct shl_object base;
    sh_from from; /* from.stage is a reference; NULL once finalised */
};

static const struct shl_type waker_type;

static int waker_gc(lua_State *L)
{
    struct waker *waker = shl_type_test(L, 1, &waker_type);
    if (waker) {
        sh_stage_unref(waker->from.stage);
        waker->from.stage = NULL;
    }
    return 0;
}

static const luaL_Reg waker_metamethods[] = {{"__gc", waker_gc}, {NULL, NULL}};

static const struct shl_type waker_type = {
    .name = "stagehost.waker",
    .noun = "a waker",
    .metamethods = waker_metamethods,
};

/* waker() */
static int wait_waker(lua_State *L)
{
    struct waker *waker = shl_type_new(L, &waker_type, sizeof *waker);
    waker->from = shl_wait_begin(L);
    sh_stage_ref(waker->from.stage);
    return 1;
}

/* park(waker): returns when wake(waker) was called */
static int wait_park(lua_State *L)
{
    const struct waker *waker = shl_type_check(L, 1, &waker_type);
    sh_from now = shl_wait_begin(L);
    if (now.stage != waker->from.stage)
        return luaL_error(L, "await: started by another stage");
    return shl_wait(L, waker->from, convert_nothing);
}

/* wake(waker): from any callback, of a stage or of luv; the stage may have ended */
static int wait_wake(lua_State *L)
{
    const struct waker *waker = shl_type_check(L, 1, &waker_type);
    if (waker->from.stage)
        sh_reply(shl_context(L)->worker, waker->from, (sh_batch){0}, NULL, NULL);
    return 0;
}

const luaL_Reg shl_wait_functions[] = {
    {"sleep", wait_sleep}, {"settle", wait_settle}, {"waker", wait_waker},
    {"park", wait_park},   {"wake", wait_wake},     {NULL, NULL},
};

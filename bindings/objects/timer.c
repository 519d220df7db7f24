/* SPDX-License-Identifier: MIT
 *
 * Timers: messages to the stage that started them. They end with the stage. */
#include "objects/timer.h"

#include "events/batch.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/number.h"
#include "state/raise.h"

struct timer {
    struct shl_object base;
    sh_stage *stage; /* a reference */
    uint64_t id;
};

/* start(ms, message), with `every_ms` for a timer that repeats */
static int start_timer(lua_State *L, const char *what, uint64_t after_ms, uint64_t every_ms)
{
    struct shl_context *ctx = shl_context(L);
    sh_stage *stage = shl_current_stage(ctx);
    if (!stage)
        return luaL_error(L, "%s: only a stage can have timers, and none is running", what);
    lua_settop(L, 2);
    struct timer *timer = shl_type_new(L, &shl_timer_type, sizeof *timer);
    lua_insert(L, 1); /* timer, ms, message */
    sh_batch message;
    int status = shl_payload_take(ctx, L, &message);
    if (status == SH_OK)
        status = sh_timer_start(stage, after_ms, every_ms, message, &timer->id);
    if (status < 0)
        return shl_raise(L, what, status, NULL);
    timer->stage = sh_stage_ref(stage);
    lua_settop(L, 1);
    return 1;
}

/* send_after(ms, message) -> timer */
static int timer_send_after(lua_State *L)
{
    return start_timer(L, "stagehost.send_after", shl_check_ms(L, 1, 0), 0);
}

/* every(ms, message) -> timer */
static int timer_every(lua_State *L)
{
    uint64_t ms = shl_check_ms(L, 1, 1);
    return start_timer(L, "stagehost.every", ms, ms);
}

/* kill_after(ms, stage) -> timer */
static int timer_kill_after(lua_State *L)
{
    sh_stage *stage = shl_current_stage(shl_context(L));
    if (!stage)
        return luaL_error(L, "kill_after: no stage is running");
    uint64_t ms = shl_check_ms(L, 1, 0);
    sh_stage *victim = shl_check_stage(L, 2);
    struct timer *timer = shl_type_new(L, &shl_timer_type, sizeof *timer);
    int status = sh_timer_kill(stage, ms, victim, &timer->id);
    if (status < 0)
        return shl_raise(L, "kill_after", status, NULL);
    timer->stage = sh_stage_ref(stage);
    return 1;
}

/* timer:cancel() -> whether the timer was still running */
static int timer_cancel(lua_State *L)
{
    const struct timer *timer = shl_type_check(L, 1, &shl_timer_type);
    lua_pushboolean(L, timer->stage && sh_stage_is_alive(timer->stage) &&
                           sh_timer_cancel(timer->stage, timer->id) == SH_OK);
    return 1;
}

static int timer_gc(lua_State *L)
{
    struct timer *timer = shl_type_test(L, 1, &shl_timer_type);
    if (timer) {
        sh_stage_unref(timer->stage);
        timer->stage = NULL;
    }
    return 0;
}

static int timer_tostring(lua_State *L)
{
    const struct timer *timer = shl_type_check(L, 1, &shl_timer_type);
    lua_pushfstring(L, "timer<%s>", timer->stage ? sh_stage_name(timer->stage) : "");
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__gc", timer_gc},
    {"__tostring", timer_tostring},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"cancel", timer_cancel},
    {NULL, NULL},
};

const struct shl_type shl_timer_type = {
    .name = "stagehost.timer",
    .noun = "a timer",
    .metamethods = metamethods,
    .methods = methods,
};

const luaL_Reg shl_timer_functions[] = {
    {"send_after", timer_send_after},
    {"every", timer_every},
    {"kill_after", timer_kill_after},
    {NULL, NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * The methods of a stage handle. Methods that wait suspend the calling stage until the answer
 * comes; they refuse to let a stage wait for itself, which would last for ever. */
#include "objects/stage_methods.h"

#include <math.h>

#include "callbacks/exits.h"
#include "callbacks/wait.h"
#include "events/batch.h"
#include "objects/counters.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/number.h"
#include "state/raise.h"
#include "state/words.h"

enum { DEFAULT_CALL_TIMEOUT_MS = 5000 };

/* -- helpers --------------------------------------------------------------------------- */

static void refuse_self(lua_State *L, const sh_stage *stage, const char *method,
                        const char *instead)
{
    if (shl_current_stage(shl_context(L)) == stage)
        luaL_error(L, "stage:%s: a stage can't wait for itself (%s)", method, instead);
}

/* The message at index 2, which becomes the top. nil is a message. */
static sh_batch take_message(lua_State *L, const char *method)
{
    sh_batch message;
    lua_settop(L, 2);
    int status = shl_payload_take(shl_context(L), L, &message);
    if (status < 0)
        shl_raise(L, method, status, NULL);
    return message;
}

static sh_error *check_reason(lua_State *L, int index, const char *method)
{
    sh_error *reason;
    int status = shl_to_reason(L, index, &reason);
    if (status < 0)
        shl_raise(L, method, status, NULL);
    return reason;
}

/* -- answers --------------------------------------------------------------------------- */

static int convert_done(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)value;
    if (status < 0)
        return shl_return_failure(L, status, error);
    lua_pushboolean(L, 1);
    return 1;
}

static int convert_value(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    if (status < 0)
        return shl_return_failure(L, status, error);
    shl_payload_push(shl_context(L), L, value);
    return 1;
}

/* Whether the stage ended now or before, it has stopped. */
static int convert_stopped(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    return convert_done(L, status == SH_ENOPROC ? SH_OK : status, value, error);
}

static int convert_reason(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)value;
    if (status == SH_OK)
        shl_push_reason(L, error);
    else if (status == SH_ENOPROC)
        lua_pushliteral(L, "noproc");
    else
        return shl_return_failure(L, status, error);
    return 1;
}

static int convert_demand_mode(lua_State *L, int status, sh_batch value,
                               const sh_error *error)
{
    const sh_value *mode = status == SH_OK ? sh_batch_values(value) : NULL;
    if (!mode)
        return shl_return_failure(L, status, error);
    lua_pushstring(L, shl_demand_mode_words[mode->u.integer]);
    return 1;
}

/* -- messages -------------------------------------------------------------------------- */

/* nil: the default; math.huge: none. */
static uint64_t check_timeout(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index))
        return DEFAULT_CALL_TIMEOUT_MS;
    if (lua_type(L, index) == LUA_TNUMBER && lua_tonumber(L, index) == HUGE_VAL)
        return 0;
    return shl_check_ms(L, index, 1);
}

/* stage:call(request, timeout_ms = 5000) -> reply | nil, message, reason */
static int stage_call(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    uint64_t timeout_ms = check_timeout(L, 3);
    refuse_self(L, stage, "call", "use cast or send");
    sh_from from = shl_wait_begin(L);
    sh_batch request = take_message(L, "stage:call");
    sh_error *error = NULL;
    int status =
        sh_stage_call(shl_context(L)->worker, stage, request, from, timeout_ms, &error);
    if (status < 0)
        return shl_raise(L, "stage:call", status, error);
    return shl_wait(L, from, convert_value);
}

/* stage:cast(message) */
static int stage_cast(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_batch message = take_message(L, "stage:cast");
    sh_error *error = NULL;
    int status = sh_stage_cast(shl_context(L)->worker, stage, message, &error);
    return status < 0 ? shl_raise(L, "stage:cast", status, error) : 0;
}

/* stage:send(message) */
static int stage_send(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_batch message = take_message(L, "stage:send");
    sh_error *error = NULL;
    int status = sh_stage_send(shl_context(L)->worker, stage, message, &error);
    return status < 0 ? shl_raise(L, "stage:send", status, error) : 0;
}

/* stage:send_ahead(message) */
static int stage_send_ahead(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    luaL_argcheck(L, sh_stage_worker(stage) == shl_context(L)->worker, 1,
                  "send_ahead is for stages of this worker");
    int status = sh_stage_send_ahead(stage, take_message(L, "stage:send_ahead"));
    return status < 0 ? shl_raise(L, "stage:send_ahead", status, NULL) : 0;
}

/* stage:notify(message) */
static int stage_notify(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_batch message = take_message(L, "stage:notify");
    sh_error *error = NULL;
    int status =
        sh_stage_notify(shl_context(L)->worker, stage, message, (sh_from){0}, &error);
    return status < 0 ? shl_raise(L, "stage:notify", status, error) : 0;
}

/* stage:async_info(message) */
static int stage_async_info(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_batch message = take_message(L, "stage:async_info");
    sh_error *error = NULL;
    int status =
        sh_stage_info(shl_context(L)->worker, stage, message, (sh_from){0}, &error);
    return status < 0 ? shl_raise(L, "stage:async_info", status, error) : 0;
}

/* stage:sync_info(message) -> true | nil, message, reason */
static int stage_sync_info(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    refuse_self(L, stage, "sync_info", "use async_info");
    sh_from from = shl_wait_begin(L);
    sh_batch message = take_message(L, "stage:sync_info");
    sh_error *error = NULL;
    int status = sh_stage_info(shl_context(L)->worker, stage, message, from, &error);
    if (status < 0)
        return shl_raise(L, "stage:sync_info", status, error);
    return shl_wait(L, from, convert_done);
}

/* -- ends ------------------------------------------------------------------------------ */

/* stage:stop(reason = "normal") -> true */
static int stage_stop(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    refuse_self(L, stage, "stop", "return stagehost.stop(reason)");
    sh_from from = shl_wait_begin(L);
    sh_error *reason = check_reason(L, 2, "stage:stop");
    int status = sh_stage_stop(shl_context(L)->worker, stage, reason, from);
    if (status < 0)
        return shl_raise(L, "stage:stop", status, NULL);
    return shl_wait(L, from, convert_stopped);
}

/* stage:async_stop(reason = "normal") */
static int stage_async_stop(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_error *reason = check_reason(L, 2, "stage:async_stop");
    int status = sh_stage_stop(shl_context(L)->worker, stage, reason, (sh_from){0});
    return status < 0 ? shl_raise(L, "stage:async_stop", status, NULL) : 0;
}

/* stage:finish() */
static int stage_finish(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    int status = sh_stage_finish(shl_context(L)->worker, stage);
    if (status == SH_ENOTPRODUCER)
        return luaL_error(L, "stage:finish: stage<%s> is not a producer (use stop)",
                          sh_stage_name(stage));
    return status < 0 ? shl_raise(L, "stage:finish", status, NULL) : 0;
}

/* stage:kill() */
static int stage_kill(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    int status = sh_stage_kill(shl_context(L)->worker, stage);
    return status < 0 && status != SH_ENOPROC ? shl_raise(L, "stage:kill", status, NULL)
                                              : 0;
}

/* end_reason(stage) -> reason; the method `join` is written in Lua */
static int end_reason(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    refuse_self(L, stage, "join", "it is still running");
    sh_from from = shl_wait_begin(L);
    int status = sh_stage_join(shl_context(L)->worker, stage, from);
    if (status < 0)
        return shl_raise(L, "stage:join", status, NULL);
    return shl_wait(L, from, convert_reason);
}

/* has_results(stage) -> boolean */
static int has_results(lua_State *L)
{
    lua_pushboolean(L, sh_stage_has_results(shl_check_stage(L, 1)));
    return 1;
}

/* stage:is_alive() -> boolean */
static int stage_is_alive(lua_State *L)
{
    lua_pushboolean(L, sh_stage_is_alive(shl_check_stage(L, 1)));
    return 1;
}

/* -- producers ------------------------------------------------------------------------- */

static int query(lua_State *L, sh_stage *stage, const char *method, sh_query what,
                 shl_convert convert)
{
    sh_from from = shl_wait_begin(L);
    int status = sh_stage_query(shl_context(L)->worker, stage, what, from);
    if (status < 0)
        return shl_raise(L, method, status, NULL);
    return shl_wait(L, from, convert);
}

/* stage:demand(mode), stage:demand() -> mode | nil, message, reason */
static int stage_demand(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    if (lua_isnoneornil(L, 2)) {
        refuse_self(L, stage, "demand", "its mode is the one it set last");
        return query(L, stage, "stage:demand", SH_QUERY_DEMAND_MODE, convert_demand_mode);
    }
    sh_demand_mode mode =
        (sh_demand_mode)luaL_checkoption(L, 2, NULL, shl_demand_mode_words);
    int status = sh_stage_set_demand(shl_context(L)->worker, stage, mode, (sh_from){0});
    return status < 0 ? shl_raise(L, "stage:demand", status, NULL) : 0;
}

/* stage:buffered() -> number of events | nil, message, reason */
static int stage_buffered(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    if (shl_current_stage(shl_context(L)) != stage)
        return query(L, stage, "stage:buffered", SH_QUERY_BUFFERED, convert_value);
    sh_stage_stats stats;
    sh_stage_get_stats(stage, &stats);
    lua_pushnumber(L, (lua_Number)stats.buffered);
    return 1;
}

/* -- counters -------------------------------------------------------------------------- */

/* stage:stats() -> table | nil, message, reason */
static int stage_stats(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    if (sh_stage_worker(stage) != shl_context(L)->worker) {
        lua_pushnil(L);
        lua_pushfstring(L, "the counters of stage<%s> can only be read on its worker, %d",
                        sh_stage_name(stage), (int)sh_stage_worker_index(stage));
        lua_pushliteral(L, "other_worker");
        return 3;
    }
    shl_push_stage_stats(L, stage);
    return 1;
}

const luaL_Reg shl_stage_methods[] = {
    {"call", stage_call},
    {"cast", stage_cast},
    {"send", stage_send},
    {"send_ahead", stage_send_ahead},
    {"notify", stage_notify},
    {"sync_info", stage_sync_info},
    {"async_info", stage_async_info},
    {"stop", stage_stop},
    {"finish", stage_finish},
    {"kill", stage_kill},
    {"exit", shl_exits_exit},
    {"is_alive", stage_is_alive},
    {"demand", stage_demand},
    {"buffered", stage_buffered},
    {"stats", stage_stats},
    {"async_stop", stage_async_stop},
    {NULL, NULL},
};

const luaL_Reg shl_stage_end_functions[] = {
    {"end_reason", end_reason},
    {"has_results", has_results},
    {NULL, NULL},
};

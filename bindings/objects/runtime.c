/* SPDX-License-Identifier: MIT
 *
 * The functions by which a script reads and changes the state of the host. */
#include "objects/runtime.h"

#include <string.h>

#include "state/error.h"
#include "state/handle.h"
#include "state/loop.h"
#include "state/lua_stage.h"
#include "state/raise.h"

static sh_host *get_host(lua_State *L)
{
    return sh_worker_host(shl_context(L)->worker);
}

/* self() -> handle of the stage whose callback runs, nil between callbacks */
static int runtime_self(lua_State *L)
{
    sh_stage *stage = shl_current_stage(shl_context(L));
    if (stage)
        shl_push_stage(L, stage);
    else
        lua_pushnil(L);
    return 1;
}

/* whereis(name) -> handle or nil */
static int runtime_whereis(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    void **holder = shl_push_stage_holder(L);
    sh_stage *stage = sh_whereis(get_host(L), name);
    *holder = stage;
    if (!stage) {
        lua_pushnil(L);
        return 1;
    }
    shl_push_stage(L, stage);
    return 1;
}

/* workers() -> how many the host has */
static int runtime_workers(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)sh_host_workers(get_host(L)));
    return 1;
}

/* worker() -> index of the worker that runs this code */
static int runtime_worker(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)sh_worker_index(shl_context(L)->worker));
    return 1;
}

/* now() -> milliseconds on the clock of the host */
static int runtime_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sh_host_now(get_host(L)) / 1e6);
    return 1;
}

/* has_virtual_clock() -> boolean */
static int runtime_has_virtual_clock(lua_State *L)
{
    lua_pushboolean(L, sh_host_has_virtual_clock(get_host(L)));
    return 1;
}

/* summary() -> what the host has counted so far: sh_host_summary */
static int runtime_summary(lua_State *L)
{
    sh_host *host = get_host(L);
    const sh_error *failure = sh_host_first_failure(host);
    sh_host_summary summary;
    sh_host_get_summary(host, &summary);
    const struct {
        const char *name;
        uint64_t n;
    } fields[] = {
        {"stages_started", summary.stages_started},
        {"stages_failed", summary.stages_failed},
        {"discarded", summary.discarded},
        {"unfinished", summary.unfinished},
        {"declined", summary.declined},
        {"skipped", summary.skipped},
        {"dead_lettered", summary.dead_lettered},
        {"redelivered", summary.redelivered},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        lua_pushnumber(L, (lua_Number)fields[i].n);
        lua_setfield(L, -2, fields[i].name);
    }
    if (failure)
        shl_push_sentence(L, failure);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, "first_failure");
    return 1;
}

/* is_draining() -> boolean */
static int runtime_is_draining(lua_State *L)
{
    lua_pushboolean(L, sh_host_is_draining(get_host(L)));
    return 1;
}

/* set_exit_status(status) */
static int runtime_set_exit_status(lua_State *L)
{
    int status = luaL_checkint(L, 1);
    luaL_argcheck(L, status >= 0 && status <= 255, 1, "must be 0 .. 255");
    sh_host_set_exit_status(get_host(L), status);
    return 0;
}

/* max_demand(): the default of subscriptions */
static int runtime_max_demand(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sh_host_max_demand(get_host(L)));
    return 1;
}

/* set_max_demand(n) */
static int runtime_set_max_demand(lua_State *L)
{
    sh_host_set_max_demand(get_host(L), (int64_t)luaL_checknumber(L, 1));
    return 0;
}

/* count_failure(reason): counts a failure of the current stage */
static int runtime_count_failure(lua_State *L)
{
    sh_stage *self = shl_current_stage(shl_context(L));
    luaL_argcheck(L, self != NULL, 1, "no stage is running");
    sh_error *reason;
    if (shl_to_reason(L, 1, &reason) < 0)
        return luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    if (reason)
        sh_stage_count_failure(self, reason);
    sh_error_unref(reason);
    return 0;
}

/* callback_failed(text): one of luv's; with the traceback behind its message */
static int runtime_callback_failed(lua_State *L)
{
    luaL_checkstring(L, 1);
    shl_loop_failed(shl_context(L), shl_push_c_text(L, 1));
    return 0;
}

/* end_producers(): see sh_stage_end_producers; of the current stage */
static int runtime_end_producers(lua_State *L)
{
    sh_stage *self = shl_current_stage(shl_context(L));
    luaL_argcheck(L, self != NULL, 1, "no stage is running");
    sh_stage_end_producers(self);
    return 0;
}

static sh_log_code check_log_code(lua_State *L, int index)
{
    const char *name = luaL_optstring(L, index, sh_log_code_name(SH_LOG_USER));
    for (int code = 0; code < SH_LOG_USER; code++)
        if (strcmp(sh_log_code_name((sh_log_code)code), name) == 0)
            return (sh_log_code)code;
    luaL_argcheck(L, strcmp(sh_log_code_name(SH_LOG_USER), name) == 0, index,
                  "no such log code");
    return SH_LOG_USER;
}

/* log(level, text, code = "log"); zero bytes of the text are "\0" in it */
static int runtime_log(lua_State *L)
{
    static const char *const names[] = {"error", "warn", "info", "debug", "trace", NULL};
    static const sh_log_level levels[] = {SH_LOG_ERROR, SH_LOG_WARN, SH_LOG_INFO,
                                          SH_LOG_DEBUG, SH_LOG_TRACE};
    sh_log_level level = levels[luaL_checkoption(L, 1, NULL, names)];
    luaL_checkstring(L, 2);
    sh_log_code code = check_log_code(L, 3);
    const char *text = shl_push_c_text(L, 2);
    struct shl_context *ctx = shl_context(L);
    const sh_stage *stage = shl_current_stage(ctx);
    sh_log_as(ctx->worker, level, code, stage ? sh_stage_name(stage) : NULL, "%s", text);
    return 0;
}

/* lose_child_events(n): events that the current stage had given to children */
static int runtime_lose_child_events(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    sh_stage *stage = shl_current_stage(shl_context(L));
    luaL_argcheck(L, n >= 0, 1, "must not be negative");
    if (stage)
        sh_stage_lose(stage, (uint64_t)n, "child");
    return 0;
}

/* end_input(stage): see sh_stage_end_input */
static int runtime_end_input(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    int status = sh_stage_end_input(shl_context(L)->worker, stage);
    if (status == SH_ENOTCONSUMER)
        return luaL_error(L, "end_input: stage<%s> does not consume", sh_stage_name(stage));
    return status < 0 ? shl_raise(L, "end_input", status, NULL) : 0;
}

/* leave_behind(n): see sh_stage_leave_behind */
static int runtime_leave_behind(lua_State *L)
{
    lua_Number n = luaL_checknumber(L, 1);
    sh_stage *stage = shl_current_stage(shl_context(L));
    if (stage && n > 0)
        sh_stage_leave_behind(stage, (uint64_t)n);
    return 0;
}

const luaL_Reg shl_runtime_functions[] = {
    {"self", runtime_self},
    {"whereis", runtime_whereis},
    {"workers", runtime_workers},
    {"worker", runtime_worker},
    {"now", runtime_now},
    {"summary", runtime_summary},
    {"has_virtual_clock", runtime_has_virtual_clock},
    {"is_draining", runtime_is_draining},
    {"set_exit_status", runtime_set_exit_status},
    {"max_demand", runtime_max_demand},
    {"set_max_demand", runtime_set_max_demand},
    {"count_failure", runtime_count_failure},
    {"end_input", runtime_end_input},
    {"callback_failed", runtime_callback_failed},
    {"end_producers", runtime_end_producers},
    {"leave_behind", runtime_leave_behind},
    {"log", runtime_log},
    {"lose_child_events", runtime_lose_child_events},
    {NULL, NULL},
};

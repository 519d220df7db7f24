/* SPDX-License-Identifier: MIT
 *
 * Links, monitors and exit signals of Lua stages: the functions that scripts call, and the two
 * callbacks. */
#include "callbacks/exits.h"

#include <string.h>

#include "callbacks/callback.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/raise.h"

/* -- callbacks ------------------------------------------------------------------------- */

struct arguments {
    struct shl_stage *s;
    sh_stage *stage; /* NULL: no sender */
    const sh_error *reason;
    uint64_t ref; /* 0: none */
};

static int push_arguments(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    if (args->stage)
        shl_push_stage(L, args->stage);
    else
        lua_pushnil(L);
    shl_push_reason(L, args->reason);
    if (args->ref)
        lua_pushnumber(L, (lua_Number)args->ref);
    lua_xmove(L, args->s->co, lua_gettop(L) - 1);
    return 0;
}

int shl_exits_handle_exit(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                          sh_result *r)
{
    struct arguments args = {.s = state, .stage = from, .reason = reason};
    (void)self;
    return shl_callback_call(args.s, SHL_EXIT, push_arguments, &args, r);
}

int shl_exits_handle_down(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                          uint64_t ref, sh_result *r)
{
    struct arguments args = {.s = state, .stage = stage, .reason = reason, .ref = ref};
    (void)self;
    if (!args.s->functions[SHL_DOWN])
        return SH_ENOSYS;
    return shl_callback_call(args.s, SHL_DOWN, push_arguments, &args, r);
}

/* -- functions for scripts ------------------------------------------------------------- */

/* The stage whose callback runs: links and monitors are its own. */
static struct shl_stage *check_current(lua_State *L, const char *what)
{
    struct shl_stage *s = shl_context(L)->current;
    if (!s)
        luaL_error(L, "%s: no stage's callback is running (is it a callback of luv?)",
                   what);
    return s;
}

/* link(stage) */
static int exits_link(lua_State *L)
{
    sh_stage *other = shl_check_stage(L, 1);
    sh_stage *self = check_current(L, "link")->self;
    int status = sh_stage_link(shl_context(L)->worker, self, other);
    return status < 0 ? shl_raise(L, "link", status, NULL) : 0;
}

/* unlink(stage) */
static int exits_unlink(lua_State *L)
{
    sh_stage *other = shl_check_stage(L, 1);
    sh_stage *self = check_current(L, "unlink")->self;
    int status = sh_stage_unlink(shl_context(L)->worker, self, other);
    return status < 0 ? shl_raise(L, "unlink", status, NULL) : 0;
}

/* monitor(stage) -> number */
static int exits_monitor(lua_State *L)
{
    sh_stage *other = shl_check_stage(L, 1);
    const struct shl_stage *s = check_current(L, "monitor");
    if (!s->functions[SHL_DOWN])
        return luaL_error(L,
                          "monitor: stage<%s> has no callback handle_down (to wait "
                          "for an end, use stage:join)",
                          sh_stage_name(s->self));
    uint64_t ref = 0;
    int status = sh_stage_monitor(shl_context(L)->worker, s->self, other, &ref);
    if (status < 0)
        return shl_raise(L, "monitor", status, NULL);
    lua_pushnumber(L, (lua_Number)ref);
    return 1;
}

/* demonitor(number) -> whether the monitor was still active */
static int exits_demonitor(lua_State *L)
{
    lua_Number ref = luaL_checknumber(L, 1);
    luaL_argcheck(L, ref >= 1, 1, "expected a number that stagehost.monitor returned");
    sh_stage *self = check_current(L, "demonitor")->self;
    int status = sh_stage_demonitor(shl_context(L)->worker, self, (uint64_t)ref);
    lua_pushboolean(L, status == SH_OK);
    return 1;
}

/* stage:exit(reason = "normal") */
int shl_exits_exit(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    sh_stage *stage = shl_check_stage(L, 1);
    sh_error *reason = NULL;
    int status;
    if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "kill") == 0) {
        status =
            sh_stage_kill(ctx->worker, stage); /* as exit(pid, kill): can't be trapped */
    } else {
        status = shl_to_reason(L, 2, &reason);
        if (status == SH_OK)
            status = sh_stage_exit(ctx->worker, stage, reason, shl_current_stage(ctx));
    }
    return status < 0 ? shl_raise(L, "stage:exit", status, NULL) : 0;
}

const luaL_Reg shl_exits_functions[] = {
    {"link", exits_link},
    {"unlink", exits_unlink},
    {"monitor", exits_monitor},
    {"demonitor", exits_demonitor},
    {NULL, NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * Protected calls. No other file of bindings/ calls lua_pcall or lua_cpcall (.ci/run layers).
 * Each call first checks how much of the C stack is left: a Lua function may call C again. */
#include "state/call.h"

#include <assert.h>

#include "state/error.h"
#include "state/frames.h"
#include "state/leave.h"
#include "state/slot.h"

int shl_traceback(lua_State *L)
{
    shl_push_raised_text(L, 1, L);
    shl_push_traceback(L, 1, L, lua_tostring(L, -1), 1);
    return 1;
}

/* Replaces the call on the stack by the error. */
static int refuse_call(struct shl_context *ctx, lua_State *L, int nargs)
{
    lua_pop(L, nargs + 1);
    shl_helper_push(ctx, L, SHL_HELPER_OVERFLOW);
    return LUA_ERRRUN;
}

int shl_try(lua_State *L, int nargs, int nresults)
{
    struct shl_context *ctx = shl_context(L);
    if (shl_c_stack_is_short(&ctx->guard.stack))
        return refuse_call(ctx, L, nargs);
    return lua_pcall(L, nargs, nresults, 0);
}

int shl_pcall(lua_State *L, int nargs, int nresults)
{
    struct shl_context *ctx = shl_context(L);
    int handler = lua_gettop(L) - nargs;
    if (shl_c_stack_is_short(&ctx->guard.stack))
        return refuse_call(ctx, L, nargs);
    shl_helper_push(ctx, L, SHL_HELPER_TRACEBACK);
    lua_insert(L, handler);
    int status = lua_pcall(L, nargs, nresults, handler);
    lua_remove(L, handler);
    return status;
}

int shl_pcall_still(struct shl_context *ctx, const char *what, int nargs, int nresults)
{
    const char *outer = ctx->still;
    ctx->still = what;
    int status = shl_pcall(ctx->L, nargs, nresults);
    ctx->still = outer;
    return status;
}

/* The message of a failed cpcall; the error value need not be a string. */
static sh_error *make_error(lua_State *L, int status)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    int code = status == LUA_ERRMEM ? SH_ENOMEM : SH_EFAILED;
    return sh_error_fmt(SH_REASON_RAISED, code, NULL, "%s",
                        text ? text : sh_strerror(code));
}

static int do_nothing(lua_State *L)
{
    (void)L;
    return 0;
}

void shl_resume_state(lua_State *L)
{
    lua_cpcall(L, do_nothing, NULL);
}

int shl_protect(struct shl_context *ctx, lua_CFunction f, void *data, sh_error **error)
{
    lua_State *L = ctx->L;
    int top = lua_gettop(L);
    bool is_short = shl_c_stack_is_short(&ctx->guard.stack);
    if (is_short)
        shl_helper_push(ctx, L, SHL_HELPER_OVERFLOW);
    int status = is_short ? LUA_ERRRUN : lua_cpcall(L, f, data);
    if (status == 0) {
        assert(lua_gettop(L) == top);
        return SH_OK;
    }
    bool was_left = shl_leave_end_outside(ctx);
    if (error)
        *error = was_left ? shl_leave_error(ctx) : make_error(L, status);
    lua_settop(L, top);
    return SH_EFAILED;
}

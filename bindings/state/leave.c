/* SPDX-License-Identifier: MIT
 *
 * An error alone does not leave a callback, since scripts catch errors, and one that leaves a __gc
 * can crash. So a hook raises it before every instruction, until all protected calls of the
 * script have been left; finalizers run without hooks. Compiled code knows no hooks: it is thrown
 * away, except the trace that has called us, which ends with the call. */
#include "state/leave.h"

#include <luajit.h>
#include <stdlib.h>

static void raise_again(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_pushliteral(L, "the program has left this callback");
    lua_error(L);
}

static void begin(lua_State *L, enum shl_leave how, sh_error *error)
{
    struct shl_context *ctx = shl_context(L);
    if (ctx->leaving != SHL_STAY) {
        sh_error_unref(error);
        return;
    }
    sh_error_unref(ctx->leave_error);
    ctx->leave_error = error;
    ctx->leaving = how;
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
    lua_sethook(L, raise_again, LUA_MASKCOUNT, 1);
}

void shl_leave(lua_State *L, enum shl_leave how)
{
    begin(L, how, NULL);
}

void shl_leave_failing(lua_State *L, sh_error *error)
{
    begin(L, SHL_FAIL, error);
}

enum shl_leave shl_leave_end(struct shl_context *ctx)
{
    enum shl_leave how = ctx->leaving;
    if (how != SHL_STAY)
        lua_sethook(ctx->L, NULL, 0, 0);
    ctx->leaving = SHL_STAY;
    return how;
}

bool shl_leave_end_outside(struct shl_context *ctx)
{
    bool was_left = ctx->leaving != SHL_STAY;
    if (!ctx->current)
        shl_leave_end(ctx);
    return was_left;
}

sh_error *shl_leave_error(const struct shl_context *ctx)
{
    if (ctx->leave_error)
        return sh_error_ref(ctx->leave_error);
    return sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL, "the program ends itself");
}

/* -- os.exit --------------------------------------------------------------------------- */

static int check_status(lua_State *L)
{
    if (lua_isboolean(L, 1))
        return lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    return (int)(luaL_optinteger(L, 1, EXIT_SUCCESS) & 0xff);
}

/* os.exit(status = true): the state is closed in any case */
static int exit_host(lua_State *L)
{
    int status = check_status(L);
    sh_host_exit(sh_worker_host(shl_context(L)->worker), status);
    shl_leave(L, SHL_PARK);
    return 0;
}

void shl_exit_open(lua_State *L)
{
    lua_getglobal(L, "os");
    lua_pushcfunction(L, exit_host);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}

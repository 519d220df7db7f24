/* SPDX-License-Identifier: MIT */
#include "options/run.h"

#include "events/batch.h"
#include "state/call.h"
#include "state/error.h"
#include "state/leave.h"
#include "state/slot.h"

/* -- pushing --------------------------------------------------------------------------- */

struct push {
    struct shl_context *ctx;
    sh_batch batch;
    uint32_t slot;
};

static int push_to_slot(lua_State *L)
{
    struct push *push = lua_touserdata(L, 1);
    shl_batch_push(push->ctx, L, push->batch);
    push->slot = shl_slot_take(push->ctx, L);
    return 0;
}

int shl_run_push_events(struct shl_context *ctx, sh_batch batch, sh_error **error)
{
    if (shl_batch_push_whole(ctx->L, batch))
        return SH_OK;
    struct push push = {.ctx = ctx, .batch = batch};
    int status = shl_protect(ctx, push_to_slot, &push, error);
    if (status < 0)
        return status;
    shl_slot_push(ctx, ctx->L, push.slot);
    shl_slot_free(ctx, push.slot);
    return SH_OK;
}

int shl_run_push_list(struct shl_context *ctx, sh_batch batch, sh_error **error)
{
    uint32_t first = batch.first;
    sh_batch whole = {batch.list, 0, batch.list->n};
    if (!shl_batch_push_whole(ctx->L, whole)) {
        int status = shl_run_push_events(ctx, batch, error);
        if (status < 0)
            return status;
        first = 0;
    }
    lua_pushnumber(ctx->L, first);
    return SH_OK;
}

/* -- calling --------------------------------------------------------------------------- */

int shl_run(struct shl_context *ctx, const char *what, int nargs, int nresults,
            sh_error **error)
{
    lua_State *L = ctx->L;
    int status = shl_pcall_still(ctx, what, nargs, nresults);
    bool was_left = shl_leave_end_outside(ctx);
    if (status == 0)
        return SH_OK;
    if (error && was_left)
        *error = shl_leave_error(ctx);
    else if (error)
        *error = shl_error_of_text(
            what, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
    lua_pop(L, 1);
    return SH_EFAILED;
}

void shl_run_require(lua_State *L, const char *module, const char *field)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, field);
    lua_remove(L, -2);
}

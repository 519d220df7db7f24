/* SPDX-License-Identifier: MIT
 *
 * lua/stagehost/engine/routing.lua runs the selector's function over a whole batch. */
#include "options/selector.h"

#include "events/batch.h"
#include "options/run.h"
#include "state/context.h"
#include "state/slot.h"

struct selector {
    sh_selector base;
    struct shl_context *ctx;
    uint32_t slot; /* of the function made by routing.selector() */
};

static int select_events(sh_selector *base, sh_worker *worker, sh_batch in, sh_batch *out,
                         sh_error **error)
{
    struct selector *self = (struct selector *)base;
    struct shl_context *ctx = self->ctx;
    lua_State *L = ctx->L;
    (void)worker;
    shl_slot_push(ctx, L, self->slot);
    int status = shl_run_push_list(ctx, in, error);
    if (status < 0) {
        lua_pop(L, 1);
        return status;
    }
    lua_pushnumber(L, in.n);
    status = shl_run(ctx, "selector", 3, 2, error); /* list, count */
    if (status < 0)
        return status;
    uint32_t n = (uint32_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (n < in.n)
        return shl_batch_take(ctx, L, n, out);
    lua_pop(L, 1);
    *out = sh_batch_ref(in);
    return SH_OK;
}

static void selector_free(sh_selector *base)
{
    struct selector *self = (struct selector *)base;
    shl_slot_free(self->ctx, self->slot);
    sh_free(self);
}

int shl_take_selector(lua_State *L, int extra_index, sh_subscribe_opts *opts)
{
    if (lua_type(L, extra_index) != LUA_TTABLE)
        return SH_OK;
    lua_pushvalue(L, extra_index);
    shl_run_require(L, "stagehost.engine.routing", "selector"); /* extra, make */
    lua_getfield(L, -2, "selector");
    if (!lua_isfunction(L, -1)) {
        lua_pop(L, 3);
        return SH_OK;
    }
    lua_call(L, 1, 1);
    lua_remove(L, -2); /* select */
    struct shl_context *ctx = shl_context(L);
    uint32_t slot = shl_slot_take(ctx, L);
    struct selector *self = sh_malloc(sizeof *self);
    if (!self) {
        shl_slot_free(ctx, slot);
        return SH_ENOMEM;
    }
    *self = (struct selector){{select_events, selector_free}, ctx, slot};
    opts->selector = &self->base;
    return SH_OK;
}

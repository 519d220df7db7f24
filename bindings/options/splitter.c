/* SPDX-License-Identifier: MIT
 *
 * Batches are split by lua/stagehost/engine/routing.lua, one call a batch: it runs the hash and
 * fills one list a partition. */
#include "options/splitter.h"

#include "events/batch.h"
#include "options/run.h"
#include "state/context.h"
#include "state/slot.h"

struct splitter {
    sh_splitter base;
    struct shl_context *ctx;
    uint32_t slot;         /* of the function made by routing.splitter() */
    sh_splitter *by_value; /* splits packed strings without Lua; NULL: there is a hash */
};

/* The places on the stack of the results of routing.lua's split, from the first one on. */
enum { TAKEN, SKIPPED, BAD, PROBLEM, LISTS, COUNTS, REFUSED, N_RESULTS };

static uint32_t count_at(lua_State *L, int index)
{
    return (uint32_t)lua_tonumber(L, index);
}

static void drop_batch(sh_batch *batch)
{
    sh_batch_unref(*batch);
    *batch = (sh_batch){0};
}

/* The lists of routing.lua as batches. */
static int take_parts(struct shl_context *ctx, int lists, int counts, sh_split_job *job)
{
    lua_State *L = ctx->L;
    const int32_t *numbers = lua_topointer(L, counts);
    for (size_t p = 0; p < job->n_parts; p++) {
        uint32_t count = (uint32_t)numbers[p + 1];
        job->parts[p] = (sh_batch){0};
        if (count == 0)
            continue;
        lua_rawgeti(L, lists, (int)p + 1);
        int status = shl_batch_take(ctx, L, count, &job->parts[p]);
        if (status < 0) {
            while (p > 0)
                drop_batch(&job->parts[--p]);
            return status;
        }
    }
    return SH_OK;
}

static int push_call(struct splitter *self, sh_split_job *job)
{
    lua_State *L = self->ctx->L;
    shl_slot_push(self->ctx, L, self->slot);
    int status = shl_run_push_list(self->ctx, job->in, &job->error);
    if (status < 0) {
        lua_pop(L, 1);
        return status;
    }
    lua_pushnumber(L, job->in.n);
    lua_pushnumber(L, job->limit);
    return SH_OK;
}

/* Takes the events whose hash failed, and why; without memory for them they are only counted. */
static void take_refused(struct shl_context *ctx, int first, sh_split_job *job)
{
    lua_State *L = ctx->L;
    job->error = sh_error_fmt(SH_REASON_CUSTOM, 0, "bad_event", "%s",
                              lua_tostring(L, first + PROBLEM));
    lua_pushvalue(L, first + REFUSED);
    if (shl_batch_take(ctx, L, job->bad, &job->refused) < 0)
        job->refused = (sh_batch){0};
}

static int split(sh_splitter *base, sh_split_job *job)
{
    struct splitter *self = (struct splitter *)base;
    lua_State *L = self->ctx->L;
    uint32_t at;
    if (self->by_value && sh_batch_strings(job->in, &at))
        return self->by_value->split(self->by_value, job);
    int status = push_call(self, job);
    if (status == SH_OK)
        status = shl_run(self->ctx, "hash", 4, N_RESULTS, &job->error);
    if (status < 0)
        return status;
    int first = lua_gettop(L) - N_RESULTS + 1;
    job->taken = count_at(L, first + TAKEN);
    job->skipped = count_at(L, first + SKIPPED);
    job->bad = count_at(L, first + BAD);
    if (job->bad > 0)
        take_refused(self->ctx, first, job);
    status = take_parts(self->ctx, first + LISTS, first + COUNTS, job);
    if (status < 0)
        drop_batch(&job->refused);
    lua_settop(L, first - 1);
    return status;
}

static void splitter_free(sh_splitter *base)
{
    struct splitter *self = (struct splitter *)base;
    shl_slot_free(self->ctx, self->slot);
    if (self->by_value)
        self->by_value->free(self->by_value);
    sh_free(self);
}

sh_splitter *shl_splitter_new(lua_State *L, int names_index, int hash_index)
{
    struct shl_context *ctx = shl_context(L);
    lua_pushvalue(L, names_index);
    lua_pushvalue(L, hash_index);
    shl_run_require(L, "stagehost.engine.routing", "splitter"); /* names, hash, make */
    lua_insert(L, -3);
    lua_call(L, 2, 1);
    uint32_t slot = shl_slot_take(ctx, L);
    bool has_hash = !lua_isnil(L, hash_index);
    sh_splitter *by_value = has_hash ? NULL : sh_splitter_default();
    struct splitter *self = has_hash || by_value ? sh_malloc(sizeof *self) : NULL;
    if (!self) {
        if (by_value)
            by_value->free(by_value);
        shl_slot_free(ctx, slot);
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
        return NULL;
    }
    *self = (struct splitter){.base = {.split = split, .free = splitter_free},
                              .ctx = ctx,
                              .slot = slot,
                              .by_value = by_value};
    return &self->base;
}

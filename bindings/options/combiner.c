/* SPDX-License-Identifier: MIT
 *
 * The accumulator belongs to lua/stagehost/engine/combine.lua: one call adds a batch. */
#include "options/combiner.h"

#include "events/batch.h"
#include "events/strings.h"
#include "options/field.h"
#include "options/run.h"
#include "state/context.h"
#include "state/slot.h"

struct combiner {
    sh_combiner base;
    struct shl_context *ctx;
    uint32_t begin, add, emit; /* slots of the functions made by combine.lua */
    bool has_begun;
};

static int begin(struct combiner *self, sh_error **error)
{
    if (self->has_begun)
        return SH_OK;
    shl_slot_push(self->ctx, self->ctx->L, self->begin);
    int status = shl_run(self->ctx, "combine.init", 0, 0, error);
    self->has_begun = status == SH_OK;
    return status;
}

static int add(sh_combiner *base, sh_batch events, sh_error **error)
{
    struct combiner *self = (struct combiner *)base;
    lua_State *L = self->ctx->L;
    int status = begin(self, error);
    if (status < 0)
        return status;
    shl_slot_push(self->ctx, L, self->add);
    status = shl_run_push_list(self->ctx, events, error);
    if (status < 0) {
        lua_pop(L, 1);
        return status;
    }
    lua_pushnumber(L, events.n);
    return shl_run(self->ctx, "combine.add", 3, 0, error);
}

/* Makes a batch of the list on top of L; pops it. */
static int take_list(struct shl_context *ctx, uint32_t n, sh_batch *out)
{
    lua_State *L = ctx->L;
    const struct shl_strings *strings = shl_strings_test(L, -1);
    if (!strings)
        return shl_batch_take(ctx, L, n, out);
    int status = shl_strings_batch(strings, out);
    lua_pop(L, 1);
    return status;
}

static int emit(sh_combiner *base, sh_batch *out, sh_error **error)
{
    struct combiner *self = (struct combiner *)base;
    lua_State *L = self->ctx->L;
    shl_slot_push(self->ctx, L, self->emit);
    int status = shl_run(self->ctx, "combine.emit", 0, 2, error); /* list, count */
    if (status < 0)
        return status;
    self->has_begun = false;
    uint32_t n = (uint32_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return take_list(self->ctx, n, out);
}

static void combiner_free(sh_combiner *base)
{
    struct combiner *self = (struct combiner *)base;
    shl_slot_free(self->ctx, self->begin);
    shl_slot_free(self->ctx, self->add);
    shl_slot_free(self->ctx, self->emit);
    sh_free(self);
}

void shl_combine_read(lua_State *L, int index, sh_combine *out)
{
    struct shl_context *ctx = shl_context(L);
    struct combiner made = {.base = {.add = add, .emit = emit, .free = combiner_free},
                            .ctx = ctx};
    out->every = (int64_t)shl_integer_field(L, index, "every");
    out->every_ms = (uint64_t)shl_integer_field(L, index, "every_ms");
    shl_run_require(L, "stagehost.engine.combine", "new");
    lua_pushvalue(L, index);
    lua_call(L, 1, 3); /* begin, add, emit */
    made.emit = shl_slot_take(ctx, L);
    made.add = shl_slot_take(ctx, L);
    made.begin = shl_slot_take(ctx, L);
    struct combiner *self = sh_malloc(sizeof *self);
    if (!self) {
        shl_slot_free(ctx, made.begin);
        shl_slot_free(ctx, made.add);
        shl_slot_free(ctx, made.emit);
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
        return;
    }
    *self = made;
    out->combiner = &self->base;
}

/* SPDX-License-Identifier: MIT
 *
 * Lua tables as lists of events. A list holds the slot of its table; a callback gets a batch
 * that is a whole list as that very table, any other range as a copy. A payload (one message)
 * is a list of one event whose slot holds the value itself; slot 0 stands for nil.
 *
 * The table that a callback returns stays on top of the coroutine of its stage, the giver, and its
 * slot is only reserved: nearly always the consumer takes the table from there before the giver
 * runs again. */
#include "events/batch.h"

#include <assert.h>
#include <string.h>

#include "events/letter.h"
#include "events/strings.h"
#include "events/transfer.h"
#include "events/value.h"
#include "state/call.h"
#include "state/lua_stage.h"
#include "state/slot.h"

struct shl_list {
    sh_list head;
    struct shl_context *ctx;
    struct shl_list *next_free;
    uint32_t slot;
    bool is_payload, is_lost;
    /* The stage whose coroutine has the table on top; NULL: the table is in the slot. */
    struct shl_stage *giver;
};

static const sh_list_ops list_ops;

static struct shl_list *check_list(sh_list *list)
{
    return list && list->ops == &list_ops ? (struct shl_list *)list : NULL;
}

/* -- lists ----------------------------------------------------------------------------- */

static struct shl_list *list_new(struct shl_context *ctx, uint32_t n, uint32_t slot)
{
    struct shl_list *list = ctx->free_lists;
    if (list)
        ctx->free_lists = list->next_free;
    else if (!(list = sh_malloc(sizeof *list)))
        return NULL;
    *list = (struct shl_list){.head = {&list_ops, n, 1}, .ctx = ctx, .slot = slot};
    return list;
}

/* A script that resumes the coroutine of an idle stage takes the values on it. */
static bool is_untouched(const struct shl_stage *s)
{
    return lua_status(s->co) == 0 && lua_gettop(s->co) == shl_callback_bottom(s) + 1;
}

static void take_back(struct shl_list *list)
{
    struct shl_stage *giver = list->giver;
    giver->given = NULL;
    if (is_untouched(giver))
        lua_pop(giver->co, 1);
    shl_slot_unreserve(list->ctx, list->slot);
}

static void list_free(sh_list *head)
{
    struct shl_list *list = (struct shl_list *)head;
    struct shl_context *ctx = list->ctx;
    if (list->giver)
        take_back(list);
    else
        shl_slot_free(ctx, list->slot);
    list->next_free = ctx->free_lists;
    ctx->free_lists = list;
}

void shl_lists_free(struct shl_context *ctx)
{
    while (ctx->free_lists) {
        struct shl_list *list = ctx->free_lists;
        ctx->free_lists = list->next_free;
        sh_free(list);
    }
}

/* Makes an owned batch of the value on top of L; pops it. */
static int take(struct shl_context *ctx, lua_State *L, uint32_t n, bool is_payload,
                sh_batch *out)
{
    uint32_t slot = shl_slot_try(ctx, L);
    struct shl_list *list = slot ? list_new(ctx, n, slot) : NULL;
    if (!list) {
        shl_slot_free(ctx, slot);
        return SH_ENOMEM;
    }
    list->is_payload = is_payload;
    *out = (sh_batch){.list = &list->head, .n = n};
    return SH_OK;
}

int shl_batch_take(struct shl_context *ctx, lua_State *L, uint32_t n, sh_batch *out)
{
    if (n > 0)
        return take(ctx, L, n, false, out);
    lua_pop(L, 1);
    *out = (sh_batch){0};
    return SH_OK;
}

int shl_payload_take(struct shl_context *ctx, lua_State *L, sh_batch *out)
{
    if (!lua_isnil(L, -1))
        return take(ctx, L, 1, true, out);
    lua_pop(L, 1);
    struct shl_list *list = list_new(ctx, 1, 0);
    if (!list)
        return SH_ENOMEM;
    list->is_payload = true;
    *out = (sh_batch){.list = &list->head, .n = 1};
    return SH_OK;
}

int shl_batch_leave(struct shl_stage *s, uint32_t n, sh_batch *out)
{
    struct shl_context *ctx = s->ctx;
    assert(!s->given && is_untouched(s));
    uint32_t slot = shl_slot_reserve(ctx);
    struct shl_list *list = slot ? list_new(ctx, n, slot) : NULL;
    if (!list) {
        if (slot)
            shl_slot_unreserve(ctx, slot);
        return SH_ENOMEM;
    }
    list->giver = s;
    s->given = list;
    *out = (sh_batch){.list = &list->head, .n = n};
    return SH_OK;
}

void shl_batch_keep(struct shl_stage *s)
{
    struct shl_list *list = s->given;
    if (!list)
        return;
    s->given = NULL;
    list->giver = NULL;
    list->is_lost = !is_untouched(s);
    if (!list->is_lost)
        shl_slot_fill(s->ctx, s->co, list->slot);
}

/* -- pushing --------------------------------------------------------------------------- */

static bool try_push(const struct shl_list *list, lua_State *L)
{
    if (list->giver && is_untouched(list->giver)) {
        lua_pushvalue(list->giver->co, -1);
        lua_xmove(list->giver->co, L, 1);
        return true;
    }
    if (list->giver || list->is_lost)
        return false;
    shl_slot_push(list->ctx, L, list->slot);
    return true;
}

static void push_slot(const struct shl_list *list, lua_State *L)
{
    if (list->slot == 0 && !list->is_lost)
        lua_pushnil(L);
    else if (!try_push(list, L))
        luaL_error(L, "events are lost: a script has resumed the coroutine of the stage "
                      "they are from");
}

bool shl_batch_push_whole(lua_State *L, sh_batch batch)
{
    const struct shl_list *list = check_list(batch.list);
    return list && !list->is_payload && batch.n == list->head.n && try_push(list, L);
}

bool shl_batch_move_whole(lua_State *L, sh_batch batch)
{
    struct shl_list *list = check_list(batch.list);
    if (!list || !list->giver || list->head.refs > 1 || batch.n != list->head.n ||
        !is_untouched(list->giver))
        return shl_batch_push_whole(L, batch);
    lua_xmove(list->giver->co, L, 1);
    list->giver->given = NULL;
    list->giver = NULL;
    list->is_lost = true;
    shl_slot_unreserve(list->ctx, list->slot);
    list->slot = 0;
    return true;
}

/* Copies a range of a Lua list to at + 1 .. of the table on top of L. */
static void copy_range(struct shl_context *ctx, lua_State *L, uint32_t at, sh_batch part)
{
    const struct shl_list *list = check_list(part.list);
    if (list->is_payload) {
        push_slot(list, L);
        lua_rawseti(L, -2, (int)at + 1);
        return;
    }
    shl_helper_push(ctx, L, SHL_HELPER_COPY);
    lua_pushvalue(L, -2);
    lua_pushnumber(L, at);
    push_slot(list, L);
    lua_pushnumber(L, part.first);
    lua_pushnumber(L, part.n);
    lua_call(L, 5, 0);
}

void shl_batch_push(struct shl_context *ctx, lua_State *L, sh_batch batch)
{
    sh_strings_view view;
    if (shl_batch_push_whole(L, batch))
        return;
    if (check_list(batch.list)) {
        lua_createtable(L, (int)batch.n, 0);
        copy_range(ctx, L, 0, batch);
    } else if (sh_batch_see_strings(batch, &view)) {
        shl_strings_push_table(L, view);
    } else {
        shl_values_push(L, batch);
    }
}

void shl_payload_push(struct shl_context *ctx, lua_State *L, sh_batch payload)
{
    const struct shl_list *list = check_list(payload.list);
    (void)ctx;
    if (payload.n == 0) {
        lua_pushnil(L);
    } else if (list && list->is_payload) {
        push_slot(list, L);
    } else if (list) {
        push_slot(list, L);
        lua_rawgeti(L, -1, (int)payload.first + 1);
        lua_remove(L, -2);
    } else {
        const sh_value *values = sh_batch_values(payload);
        sh_strings_view view;
        if (values)
            shl_value_push(L, values, payload);
        else if (sh_batch_see_strings(payload, &view))
            lua_pushlstring(L, view.bytes + view.spans->start, view.spans->len);
        else
            luaL_error(L, "a payload of %s has no Lua value", payload.list->ops->name);
    }
}

/* -- the core's functions of a list ---------------------------------------------------- */

struct concat {
    struct shl_context *ctx;
    const sh_batch *parts;
    size_t n_parts;
    uint32_t n;
    sh_batch out;
};

static int concat_parts(lua_State *L)
{
    struct concat *job = lua_touserdata(L, 1);
    uint32_t at = 0;
    lua_createtable(L, (int)job->n, 0);
    for (size_t i = 0; i < job->n_parts; i++) {
        copy_range(job->ctx, L, at, job->parts[i]);
        at += job->parts[i].n;
    }
    if (shl_batch_take(job->ctx, L, job->n, &job->out) < 0)
        luaL_error(L, "not enough memory");
    return 0;
}

static sh_list *list_concat(sh_worker *worker, const sh_batch *parts, size_t n_parts)
{
    struct concat job = {
        .ctx = shl_worker_context(worker), .parts = parts, .n_parts = n_parts};
    for (size_t i = 0; i < n_parts; i++)
        job.n += parts[i].n;
    return shl_protect(job.ctx, concat_parts, &job, NULL) < 0 ? NULL : job.out.list;
}

/* An encoded batch: the parcel that transfer.c made of it, and how to read it. */
struct batch_parcel {
    sh_parcel body;
    enum { EVENTS, PAYLOAD, EXTRA } form;
};

struct parcel_job {
    struct shl_context *ctx;
    sh_batch batch;
    struct batch_parcel *parcel;
    sh_strings *block; /* events that are strings, packed */
    sh_error *error;
    int status;
};

static int encode_batch(lua_State *L)
{
    struct parcel_job *job = lua_touserdata(L, 1);
    struct batch_parcel *parcel = job->parcel;
    if (parcel->form == EXTRA) {
        shl_payload_push(job->ctx, L, job->batch);
        job->status = shl_encode_value(L, &parcel->body, &job->error);
        return 0;
    }
    const struct shl_list *list = check_list(job->batch.list);
    if (list->is_payload) {
        lua_createtable(L, 1, 0);
        push_slot(list, L);
        lua_rawseti(L, -2, 1);
    } else {
        push_slot(list, L);
        shl_strings_try_pack(L, lua_gettop(L), job->batch.first, job->batch.n, &job->block);
        if (job->block)
            return 0;
    }
    job->status =
        shl_encode_events(L, job->batch.first, job->batch.n, &parcel->body, &job->error);
    return 0;
}

static void batch_parcel_free(void *data, size_t len)
{
    struct batch_parcel *parcel = data;
    (void)len;
    sh_parcel_free(&parcel->body);
    sh_free(parcel);
}

/* A list of strings travels as packed strings, which it is on the other worker, too. */
static int encode_block(sh_worker *worker, sh_strings *block, sh_parcel *out)
{
    sh_batch packed;
    int status = sh_batch_from_strings(block, 0, sh_strings_see(block).n, &packed);
    if (status < 0)
        return status;
    status = sh_strings_ops.encode(worker, &packed, SH_ENCODE_EVENTS, out, NULL);
    sh_batch_unref(packed);
    out->ops = &sh_strings_ops;
    return status;
}

static int list_encode(sh_worker *worker, const sh_batch *batch, sh_encode what,
                       sh_parcel *out, sh_error **error)
{
    struct batch_parcel *parcel = sh_malloc(sizeof *parcel);
    if (!parcel)
        return SH_ENOMEM;
    bool is_payload = check_list(batch->list)->is_payload;
    *parcel = (struct batch_parcel){.form = what == SH_ENCODE_EXTRA ? EXTRA
                                            : is_payload            ? PAYLOAD
                                                                    : EVENTS};
    struct parcel_job job = {
        .ctx = shl_worker_context(worker), .batch = *batch, .parcel = parcel};
    int status = shl_protect(job.ctx, encode_batch, &job, &job.error);
    if (status == SH_OK)
        status = job.status;
    if (status < 0 || job.block)
        sh_free(parcel);
    if (job.block)
        return encode_block(worker, job.block, out);
    if (status < 0) {
        if (error)
            *error = job.error;
        else
            sh_error_unref(job.error);
        return status;
    }
    *out = (sh_parcel){.data = parcel, .len = parcel->body.len, .free = batch_parcel_free};
    return SH_OK;
}

static int decode_batch(lua_State *L)
{
    struct parcel_job *job = lua_touserdata(L, 1);
    const sh_parcel *body = &job->parcel->body;
    uint32_t n = 1;
    if (job->parcel->form == EXTRA)
        job->status = shl_decode_value(L, body, &job->error);
    else
        job->status = shl_decode_events(L, body, &n, &job->error);
    if (job->status < 0)
        return 0;
    if (job->parcel->form == PAYLOAD)
        lua_rawgeti(L, -1, 1);
    if (job->parcel->form == EVENTS)
        job->status = shl_batch_take(job->ctx, L, n, &job->batch);
    else
        job->status = shl_payload_take(job->ctx, L, &job->batch);
    return 0;
}

static sh_list *list_decode(sh_worker *worker, const sh_parcel *parcel, sh_error **error)
{
    struct parcel_job job = {.ctx = shl_worker_context(worker), .parcel = parcel->data};
    int status = shl_protect(job.ctx, decode_batch, &job, &job.error);
    if (status == SH_OK && job.status == SH_OK)
        return job.batch.list;
    if (error)
        *error = job.error;
    else
        sh_error_unref(job.error);
    return NULL;
}

static const sh_list_ops list_ops = {
    .name = "lua",
    .free = list_free,
    .concat = list_concat,
    .encode = list_encode,
    .decode = list_decode,
    .letters = shl_letters,
};

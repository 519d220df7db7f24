/* SPDX-License-Identifier: MIT
 *
 * The `from` of handle_call: an address that can be answered once, now or later. */
#include "callbacks/from.h"

#include "events/batch.h"
#include "state/raise.h"
#include "state/slot.h"

struct call {
    struct shl_object base;
    sh_from from; /* a reference to from.stage */
    bool is_answered;
};

void shl_push_from(lua_State *L, sh_from from)
{
    struct call *call = shl_type_new(L, &shl_call_type, sizeof *call);
    call->from = from;
    sh_stage_ref(from.stage);
}

bool shl_from_close(struct shl_stage *s)
{
    shl_slot_push(s->ctx, s->co, s->call_slot);
    struct call *call = shl_type_test(s->co, -1, &shl_call_type);
    bool is_open = call && !call->is_answered;
    if (is_open)
        call->is_answered = true;
    lua_pop(s->co, 1);
    return is_open;
}

static int call_reply(lua_State *L)
{
    struct call *call = shl_type_check(L, 1, &shl_call_type);
    if (call->is_answered)
        return luaL_error(L, "from:reply: this call has been answered already");
    struct shl_context *ctx = shl_context(L);
    sh_batch value;
    lua_settop(L, 2);
    int status = shl_payload_take(ctx, L, &value);
    sh_error *error = NULL;
    if (status == SH_OK)
        status = sh_reply(ctx->worker, call->from, value, NULL, &error);
    if (status < 0)
        return shl_raise(L, "from:reply", status, error);
    call->is_answered = true;
    return 0;
}

/* from:fail(message, code): the caller gets nil, message, code */
static int call_fail(lua_State *L)
{
    struct call *call = shl_type_check(L, 1, &shl_call_type);
    const char *message = luaL_checkstring(L, 2), *code = luaL_checkstring(L, 3);
    if (call->is_answered)
        return luaL_error(L, "from:fail: this call has been answered already");
    sh_error *failure = sh_error_fmt(SH_REASON_CUSTOM, SH_EFAILED, code, "%s", message);
    int status = sh_reply(shl_context(L)->worker, call->from, (sh_batch){0}, failure, NULL);
    if (status < 0)
        return shl_raise(L, "from:fail", status, NULL);
    call->is_answered = true;
    return 0;
}

static int call_gc(lua_State *L)
{
    struct call *call = shl_type_test(L, 1, &shl_call_type);
    if (call) {
        call->is_answered = true;
        sh_stage_unref(call->from.stage);
        call->from.stage = NULL;
    }
    return 0;
}

static int call_tostring(lua_State *L)
{
    const struct call *call = shl_type_check(L, 1, &shl_call_type);
    const sh_stage *stage = call->from.stage; /* NULL once finalised */
    lua_pushfstring(L, "call<%s>", stage ? sh_stage_name(stage) : "");
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__gc", call_gc},
    {"__tostring", call_tostring},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"reply", call_reply},
    {"fail", call_fail},
    {NULL, NULL},
};

const struct shl_type shl_call_type = {
    .name = "stagehost.call",
    .noun = "the from of a call",
    .metamethods = metamethods,
    .methods = methods,
};

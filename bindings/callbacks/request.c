/* SPDX-License-Identifier: MIT
 *
 * Calls whose answers are awaited later, or never. A stage keeps a table of the unanswered
 * requests by number; each is a table that gets the answer when it comes while the stage does
 * not wait for it. */
#include "callbacks/request.h"

#include "callbacks/wait.h"
#include "events/batch.h"
#include "state/call.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/number.h"
#include "state/raise.h"
#include "state/slot.h"

/* -- the table of a stage -------------------------------------------------------------- */

static void push_requests(struct shl_stage *s, lua_State *L)
{
    if (!s->requests) {
        lua_newtable(L);
        s->requests = shl_slot_take(s->ctx, L);
    }
    shl_slot_push(s->ctx, L, s->requests);
}

/* Pushes the request of that number, or nil; returns whether there is one. */
static bool push_request(lua_State *L, const struct shl_stage *s, lua_Number ref)
{
    if (!s->requests) {
        lua_pushnil(L);
        return false;
    }
    shl_slot_push(s->ctx, L, s->requests);
    lua_pushnumber(L, ref);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return lua_istable(L, -1);
}

static void forget(lua_State *L, const struct shl_stage *s, lua_Number ref)
{
    shl_slot_push(s->ctx, L, s->requests);
    lua_pushnumber(L, ref);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* -- answers --------------------------------------------------------------------------- */

static int convert_value(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    if (status < 0)
        return shl_return_failure(L, status, error);
    shl_payload_push(shl_context(L), L, value);
    return 1;
}

struct answer {
    struct shl_stage *s;
    uint64_t ref;
    int status;
    sh_batch value;
    const sh_error *error;
};

/* Puts what take() would have returned into the request, as a list of n. */
static int keep(lua_State *L)
{
    const struct answer *answer = lua_touserdata(L, 1);
    if (!push_request(L, answer->s, (lua_Number)answer->ref))
        return 0;
    int n = convert_value(L, answer->status, answer->value, answer->error);
    lua_createtable(L, n, 1); /* answer, request, results ..., list */
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "n");
    lua_insert(L, 3);
    for (int i = n; i > 0; i--)
        lua_rawseti(L, 3, i);
    lua_setfield(L, 2, "answer");
    forget(L, answer->s, (lua_Number)answer->ref);
    return 0;
}

void shl_request_keep(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                      const sh_error *error)
{
    struct answer answer = {s, ref, status, value, error};
    if (status != SH_ETIMEDOUT) /* a timeout belongs to a wait that has ended */
        shl_protect(s->ctx, keep, &answer, NULL);
}

static int close(lua_State *L)
{
    const struct answer *answer = lua_touserdata(L, 1);
    forget(L, answer->s, (lua_Number)answer->ref);
    return 0;
}

void shl_request_close(struct shl_stage *s, uint64_t ref)
{
    struct answer answer = {.s = s, .ref = ref};
    shl_protect(s->ctx, close, &answer, NULL);
}

/* -- for lua/stagehost/task.lua -------------------------------------------------------- */

void shl_request_send(lua_State *L, sh_stage *stage)
{
    struct shl_context *ctx = shl_context(L);
    sh_from from = shl_wait_begin(L);
    struct shl_stage *s = ctx->current;
    sh_batch message;
    int status = shl_payload_take(ctx, L, &message);
    if (status < 0)
        shl_raise(L, "request", status, NULL);
    sh_error *error = NULL;
    status = sh_stage_call(ctx->worker, stage, message, from, 0, &error);
    if (status < 0)
        shl_raise(L, "request", status, error);
    push_requests(s, L);
    lua_newtable(L);
    lua_pushnumber(L, (lua_Number)from.ref); /* requests, request, number */
    lua_pushvalue(L, -1);
    lua_pushvalue(L, -3);
    lua_rawset(L, -5);
    lua_remove(L, -3);
    lua_insert(L, -2);
}

/* request(stage, message) -> number, request; request.answer is set if the answer came while the
 * stage did not wait for it */
static int request_send(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    lua_settop(L, 2);
    shl_request_send(L, stage);
    return 2;
}

/* take(number, timeout_ms) -> answer | nil, message, reason. Only for a request of the
 * current stage that is not answered yet. */
static int request_take(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    lua_Number ref = luaL_checknumber(L, 1);
    uint64_t timeout_ms = shl_check_limit(L, 2);
    sh_from from = shl_wait_begin(L);
    if (!push_request(L, ctx->current, ref))
        return luaL_error(L, "only the stage that started a task can wait for it");
    from.ref = (uint64_t)ref;
    int status = timeout_ms ? sh_timer_limit(from.stage, timeout_ms, from.ref) : SH_OK;
    if (status < 0)
        return shl_raise(L, "await", status, NULL);
    return shl_wait(L, from, convert_value);
}

const luaL_Reg shl_request_functions[] = {
    {"request", request_send},
    {"take", request_take},
    {NULL, NULL},
};

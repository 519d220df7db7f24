/* SPDX-License-Identifier: MIT
 *
 * Making subscriptions, and the methods of one. */
#include "objects/subscription.h"

#include "callbacks/wait.h"
#include "events/batch.h"
#include "objects/counters.h"
#include "options/subscribe_options.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/number.h"
#include "state/raise.h"

/* -- subscribing ----------------------------------------------------------------------- */

static int convert_subscription(lua_State *L, int status, sh_batch value,
                                const sh_error *error)
{
    if (status < 0)
        return shl_return_failure(L, status, error);
    void **holder = shl_push_subscription_holder(L);
    sh_subscription *sub = sh_subscription_of_reply(value);
    *holder = sub;
    if (!sub)
        return shl_return_failure(L, SH_ENOPROC, NULL);
    shl_push_subscription(L, sub);
    return 1;
}

/* subscribe(consumer, options of options.subscription, wait, via = 0)
 *     -> subscription | nil, message, reason */
static int subscribe(lua_State *L)
{
    sh_stage *consumer = shl_check_stage(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    bool wait = lua_toboolean(L, 3);
    uint64_t via = (uint64_t)luaL_optnumber(L, 4, 0);
    sh_from from = wait ? shl_wait_begin(L) : (sh_from){0};
    sh_subscribe_opts opts;
    int status = shl_subscribe_opts_read(L, 2, &opts);
    sh_error *error = NULL;
    opts.via = via;
    if (status == SH_OK)
        status = sh_stage_subscribe(shl_context(L)->worker, consumer, &opts, from, &error);
    if (status < 0)
        return shl_raise(L, "stage:subscribe", status, error);
    return wait ? shl_wait_building(L, from, convert_subscription) : 0;
}

/* -- methods --------------------------------------------------------------------------- */

/* ask(subscription, n). Sends nothing for 0 events, or if no stage has the producer's name. */
static int subscription_ask(lua_State *L)
{
    sh_subscription *sub = shl_check_subscription(L, 1);
    int64_t n = shl_check_count(L, 2, 0);
    if (!sh_subscription_producer(sub))
        return 0;
    int status = sh_subscription_ask(shl_context(L)->worker, sub, n);
    return status < 0 ? shl_raise(L, "stagehost.ask", status, NULL) : 0;
}

/* subscription:cancel(reason = "normal") */
static int subscription_cancel(lua_State *L)
{
    sh_subscription *sub = shl_check_subscription(L, 1);
    sh_error *reason;
    lua_settop(L, 2);
    int status = shl_to_reason(L, 2, &reason);
    if (status == SH_OK)
        status = sh_subscription_cancel(shl_context(L)->worker, sub, reason);
    return status < 0 && status != SH_ENOPROC
               ? shl_raise(L, "subscription:cancel", status, NULL)
               : 0;
}

/* pause(subscription) */
static int subscription_pause(lua_State *L)
{
    int status =
        sh_subscription_pause(shl_context(L)->worker, shl_check_subscription(L, 1));
    return status < 0 ? shl_raise(L, "subscription:pause", status, NULL) : 0;
}

/* resume(subscription) */
static int subscription_resume(lua_State *L)
{
    int status =
        sh_subscription_resume(shl_context(L)->worker, shl_check_subscription(L, 1));
    return status < 0 ? shl_raise(L, "subscription:resume", status, NULL) : 0;
}

/* unsubscribe(subscription, reason = "normal") */
static int subscription_unsubscribe(lua_State *L)
{
    sh_subscription *sub = shl_check_subscription(L, 1);
    sh_error *reason;
    lua_settop(L, 2);
    int status = shl_to_reason(L, 2, &reason);
    if (status == SH_OK)
        status = sh_subscription_unsubscribe(shl_context(L)->worker, sub, reason);
    return status < 0 ? shl_raise(L, "subscription:unsubscribe", status, NULL) : 0;
}

/* subscription:deliveries() -> integer | nil, message, reason: how many times the current batch
 * has been delivered */
static int subscription_deliveries(lua_State *L)
{
    const sh_subscription *sub = shl_check_subscription(L, 1);
    if (sh_stage_worker(sh_subscription_consumer(sub)) == shl_context(L)->worker) {
        lua_pushnumber(L, sh_subscription_deliveries(sub));
        return 1;
    }
    lua_pushnil(L);
    lua_pushliteral(L, "the deliveries of a batch can only be read by its consumer");
    lua_pushliteral(L, "other_worker");
    return 3;
}

/* part(consumer, producer, via): ends the subscription between them made on behalf of via alone */
static int part(lua_State *L)
{
    sh_stage *consumer = shl_check_stage(L, 1), *producer = shl_check_stage(L, 2);
    uint64_t via = (uint64_t)luaL_checknumber(L, 3);
    int status = sh_stage_part(shl_context(L)->worker, consumer, producer, via, NULL);
    return status < 0 ? shl_raise(L, "part", status, NULL) : 0;
}

/* tell(subscription, message): a notification for its consumer, also when it has ended */
static int tell(lua_State *L)
{
    sh_subscription *sub = shl_check_subscription(L, 1);
    sh_batch message;
    lua_settop(L, 2);
    sh_error *error = NULL;
    int status = shl_payload_take(shl_context(L), L, &message);
    if (status == SH_OK)
        status = sh_subscription_tell(shl_context(L)->worker, sub, message, &error);
    return status < 0 ? shl_raise(L, "tell", status, error) : 0;
}

static sh_role check_side(lua_State *L, int index)
{
    static const char *const sides[] = {"producer", "consumer", NULL};
    return luaL_checkoption(L, index, NULL, sides) == 0 ? SH_ROLE_PRODUCER
                                                        : SH_ROLE_CONSUMER;
}

/* subscription:stats("producer" | "consumer") -> table | nil, message, reason: the counters of
 * that side */
static int subscription_stats(lua_State *L)
{
    const sh_subscription *sub = shl_check_subscription(L, 1);
    sh_role side = check_side(L, 2);
    sh_stage *stage = side == SH_ROLE_PRODUCER ? sh_subscription_producer(sub)
                                               : sh_subscription_consumer(sub);
    if (!stage || sh_stage_worker(stage) != shl_context(L)->worker) {
        lua_pushnil(L);
        lua_pushliteral(
            L,
            "the counters of a subscription can only be read on the worker of that side");
        lua_pushliteral(L, "other_worker");
        return 3;
    }
    shl_push_subscription_stats(L, sub, side);
    return 1;
}

const luaL_Reg shl_subscription_methods[] = {
    {"ask", subscription_ask},
    {"cancel", subscription_cancel},
    {"pause", subscription_pause},
    {"resume", subscription_resume},
    {"unsubscribe", subscription_unsubscribe},
    {"deliveries", subscription_deliveries},
    {"stats", subscription_stats},
    {NULL, NULL},
};

const luaL_Reg shl_subscription_functions[] = {
    {"subscribe", subscribe},
    {"ask", subscription_ask},
    {"pause", subscription_pause},
    {"resume", subscription_resume},
    {"unsubscribe", subscription_unsubscribe},
    {"part", part},
    {"tell", tell},
    {NULL, NULL},
};

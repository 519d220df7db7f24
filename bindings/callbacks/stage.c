/* SPDX-License-Identifier: MIT
 *
 * The callbacks of a stage as the core calls them: each puts its function and arguments on
 * the stage's coroutine and runs it. The frequent ones, handle_demand and handle_events, take
 * their arguments from slots; the others make theirs in a protected call. */
#include "callbacks/stage.h"

#include "callbacks/callback.h"
#include "callbacks/demand_by.h"
#include "callbacks/exits.h"
#include "callbacks/from.h"
#include "callbacks/result.h"
#include "callbacks/start.h"
#include "callbacks/sub_slot.h"
#include "events/batch.h"
#include "events/letter.h"
#include "events/strings.h"
#include "options/run.h"
#include "options/selector.h"
#include "state/call.h"
#include "state/error.h"
#include "state/interrupt.h"
#include "state/slot.h"
#include "state/words.h"

/* -- arguments ------------------------------------------------------------------------- */

/* The material for the arguments of the rarer callbacks. */
struct arguments {
    struct shl_stage *s;
    sh_batch batch;
    sh_subscription *sub;
    sh_role other;
    sh_subscribe_opts *opts;
    const sh_error *reason;
    sh_ended how;
    sh_from from;
};

/* Runs `callback` with the values that `push` leaves on its state above index 1, where it finds
 * its arguments. */
static int run_with(struct arguments *args, enum shl_callback callback, lua_CFunction push,
                    sh_result *r)
{
    return shl_callback_call(args->s, callback, push, args, r);
}

static int move_arguments(lua_State *L, const struct shl_stage *s)
{
    lua_xmove(L, s->co, lua_gettop(L) - 1);
    return 0;
}

static sh_role own_role(sh_role other)
{
    return other == SH_ROLE_PRODUCER ? SH_ROLE_CONSUMER : SH_ROLE_PRODUCER;
}

/* -- demand and events ----------------------------------------------------------------- */

static int handle_demand(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    if (s->demand_by)
        return shl_demand_by(s, n, r);
    if (shl_callback_begin_ready(s, SHL_DEMAND, r) < 0)
        return SH_EFAILED;
    s->expected = n;
    lua_pushvalue(s->co, SHL_AT_DEMAND);
    lua_pushvalue(s->co, SHL_AT_SELF);
    lua_pushnumber(s->co, (lua_Number)n);
    return shl_callback_run(s, 2, r);
}

static int push_events(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    uint32_t first;
    if (args->s->is_packed && sh_batch_strings(args->batch, &first))
        shl_strings_push_batch(L, args->batch);
    else
        shl_batch_push(args->s->ctx, L, args->batch);
    shl_sub_slot_push(L, args->s, args->sub, SH_ROLE_CONSUMER);
    return move_arguments(L, args->s);
}

static void change_from(struct shl_stage *s, uint32_t from_slot)
{
    shl_slot_push(s->ctx, s->co, from_slot);
    lua_replace(s->co, SHL_AT_FROM);
    s->from_slot = from_slot;
}

static int handle_events(sh_stage *self, void *state, sh_batch events,
                         sh_subscription *from, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    uint32_t from_slot = shl_sub_slot_find(s, from, SH_ROLE_CONSUMER);
    if (from_slot) {
        if (shl_callback_begin_ready(s, SHL_EVENTS, r) < 0)
            return SH_EFAILED;
        if (from_slot != s->from_slot)
            change_from(s, from_slot);
        s->expected = events.n;
        lua_pushvalue(s->co, SHL_AT_EVENTS);
        lua_pushvalue(s->co, SHL_AT_SELF);
        if (r->are_last ? shl_batch_move_whole(s->co, events)
                        : shl_batch_push_whole(s->co, events)) {
            lua_pushvalue(s->co, SHL_AT_FROM);
            return shl_callback_run(s, 3, r);
        }
        lua_pop(s->co, 2);
    }
    struct arguments args = {.s = s, .batch = events, .sub = from};
    return run_with(&args, SHL_EVENTS, push_events, r);
}

/* -- subscriptions come and go --------------------------------------------------------- */

static const char *cancel_word(sh_cancel cancel)
{
    if (cancel == SH_CANCEL_DEFAULT)
        cancel = SH_CANCEL_PERMANENT;
    return shl_cancel_words[cancel - SH_CANCEL_PERMANENT];
}

/* Adds the values that the consumer's or the host's defaults have decided. */
static void add_defaults(lua_State *L, const sh_subscribe_opts *opts)
{
    int table = lua_gettop(L);
    lua_getfield(L, table, "max_demand");
    lua_getfield(L, table, "min_demand");
    lua_getfield(L, table, "cancel");
    if (lua_isnil(L, table + 1) && opts->max_demand != SH_MAX_DEMAND_DEFAULT) {
        lua_pushnumber(L, (lua_Number)opts->max_demand);
        lua_setfield(L, table, "max_demand");
    }
    if (lua_isnil(L, table + 2) && opts->min_demand != opts->max_demand / 2) {
        lua_pushnumber(L, (lua_Number)opts->min_demand);
        lua_setfield(L, table, "min_demand");
    }
    if (lua_isnil(L, table + 3) && opts->cancel > SH_CANCEL_PERMANENT) {
        lua_pushstring(L, cancel_word(opts->cancel));
        lua_setfield(L, table, "cancel");
    }
    lua_settop(L, table);
}

/* Pushes the options as the user gave them, or a table of the options of a C program. */
static void push_subscribe_opts(lua_State *L, const struct arguments *args)
{
    const sh_subscribe_opts *opts = args->opts;
    if (opts->extra.n > 0) {
        shl_payload_push(args->s->ctx, L, opts->extra);
        if (lua_istable(L, -1))
            add_defaults(L, opts);
        return;
    }
    lua_newtable(L);
    lua_pushnumber(L, (lua_Number)opts->max_demand);
    lua_setfield(L, -2, "max_demand");
    lua_pushnumber(L, (lua_Number)opts->min_demand);
    lua_setfield(L, -2, "min_demand");
    lua_pushstring(L, cancel_word(opts->cancel));
    lua_setfield(L, -2, "cancel");
    lua_pushstring(L, opts->partition); /* nil if there is none */
    lua_setfield(L, -2, "partition");
}

static int push_subscribe(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    lua_pushstring(L, args->other == SH_ROLE_PRODUCER ? "producer" : "consumer");
    push_subscribe_opts(L, args);
    shl_sub_slot_push(L, args->s, args->sub, own_role(args->other));
    return move_arguments(L, args->s);
}

static int make_selector(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    shl_payload_push(args->s->ctx, L, args->opts->extra);
    if (!args->opts->selector && shl_take_selector(L, 2, args->opts) < 0)
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    return 0;
}

static int handle_subscribe(sh_stage *self, void *state, sh_role other,
                            sh_subscribe_opts *opts, sh_subscription *from, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    struct arguments args = {.s = s, .sub = from, .other = other, .opts = opts};
    sh_error *error = NULL;
    s->callback = SHL_SUBSCRIBE;
    if (other == SH_ROLE_CONSUMER && opts->extra.n > 0 &&
        shl_protect(s->ctx, make_selector, &args, &error) < 0)
        return shl_callback_fail(s, error, r);
    if (!s->functions[SHL_SUBSCRIBE])
        return SH_DONE;
    return run_with(&args, SHL_SUBSCRIBE, push_subscribe, r);
}

static int push_cancel(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    shl_push_reason(L, args->reason);
    shl_sub_slot_push(L, args->s, args->sub, own_role(args->other));
    lua_pushstring(L, args->how == SH_ENDED_DOWN ? "down" : "cancel");
    shl_sub_slot_drop(args->s, args->sub, own_role(args->other));
    return move_arguments(L, args->s);
}

static int handle_cancel(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                         sh_subscription *from, sh_result *r)
{
    struct shl_stage *s = state;
    sh_role other =
        sh_subscription_consumer(from) == self ? SH_ROLE_PRODUCER : SH_ROLE_CONSUMER;
    if (!s->functions[SHL_CANCEL]) {
        shl_sub_slot_drop(s, from, own_role(other));
        return SH_DONE;
    }
    struct arguments args = {
        .s = s, .sub = from, .other = other, .reason = reason, .how = how};
    return run_with(&args, SHL_CANCEL, push_cancel, r);
}

/* -- messages -------------------------------------------------------------------------- */

static int push_message(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    shl_payload_push(args->s->ctx, L, args->batch);
    return move_arguments(L, args->s);
}

static int push_notification(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    shl_payload_push(args->s->ctx, L, args->batch);
    if (args->sub)
        shl_sub_slot_push(L, args->s, args->sub, SH_ROLE_CONSUMER);
    else
        lua_pushnil(L);
    return move_arguments(L, args->s);
}

static int push_call(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    struct shl_stage *s = args->s;
    shl_payload_push(s->ctx, L, args->batch);
    shl_push_from(L, args->from);
    shl_slot_free(s->ctx, s->call_slot);
    s->call_slot = 0;
    lua_pushvalue(L, -1);
    s->call_slot = shl_slot_take(s->ctx, L);
    return move_arguments(L, s);
}

static int handle_call(sh_stage *self, void *state, sh_batch request, sh_from from,
                       sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    struct arguments args = {.s = s, .batch = request, .from = from};
    return s->functions[SHL_CALL] ? run_with(&args, SHL_CALL, push_call, r) : SH_ENOSYS;
}

static int handle_cast(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    struct arguments args = {.s = s, .batch = message};
    return s->functions[SHL_CAST] ? run_with(&args, SHL_CAST, push_message, r) : SH_ENOSYS;
}

static int handle_info(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    struct arguments args = {.s = s, .batch = message};
    return s->functions[SHL_INFO] ? run_with(&args, SHL_INFO, push_message, r) : SH_ENOSYS;
}

static int handle_notification(sh_stage *self, void *state, sh_batch message,
                               sh_subscription *from, sh_result *r)
{
    struct arguments args = {.s = state, .batch = message, .sub = from};
    (void)self;
    return run_with(&args, SHL_NOTIFICATION, push_notification, r);
}

/* -- the end --------------------------------------------------------------------------- */

static int push_reason(lua_State *L)
{
    const struct arguments *args = lua_touserdata(L, 1);
    shl_push_reason(L, args->reason);
    return move_arguments(L, args->s);
}

static int handle_end(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    struct arguments args = {.s = state, .reason = reason};
    (void)self;
    return run_with(&args, SHL_END, push_reason, r);
}

static int terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    struct shl_stage *s = state;
    (void)self;
    struct arguments args = {.s = s, .reason = reason};
    return s->functions[SHL_TERMINATE] ? run_with(&args, SHL_TERMINATE, push_reason, r)
                                       : SH_DONE;
}

/* Turns `error` (taken) into an error of this stage. */
static void fail_later(struct shl_stage *s, sh_error *error)
{
    sh_error_fields fields = {.kind = SH_REASON_RAISED, .message = sh_strerror(SH_ENOMEM)};
    if (error)
        fields = *sh_error_get(error);
    fields.stage = sh_stage_name(s->self);
    sh_stage_stop(s->ctx->worker, s->self, sh_error_new(&fields), (sh_from){0});
    sh_error_unref(error);
}

/* Only an explicit false prevents the log message. A failure ends the stage soon after. */
static bool format_discarded(sh_stage *self, void *state, uint64_t count)
{
    struct shl_stage *s = state;
    struct shl_context *ctx = s->ctx;
    lua_State *L = ctx->L;
    (void)self;
    if (!s->functions[SHL_DISCARDED])
        return true;
    struct shl_stage *outer = ctx->current;
    ctx->current = s;
    shl_slot_push(ctx, L, s->functions[SHL_DISCARDED]);
    shl_slot_push(ctx, L, s->self_slot);
    lua_pushnumber(L, (lua_Number)count);
    sh_error *error = NULL;
    int status = shl_run(ctx, shl_callback_name(SHL_DISCARDED), 2, 1, &error);
    ctx->current = outer;
    bool log = true;
    if (status == 0 && (lua_isnil(L, -1) || lua_isboolean(L, -1))) {
        log = lua_isnil(L, -1) || lua_toboolean(L, -1);
        lua_pop(L, 1);
    } else {
        fail_later(s, status == 0 ? shl_result_refuse(s, SHL_DISCARDED) : error);
    }
    return log;
}

void shl_stage_handle_reply(sh_stage *self, void *state, uint64_t ref, int status,
                            sh_batch value, sh_error *error)
{
    (void)self;
    shl_callback_answer(state, ref, status, value, error);
}

void shl_stage_release(struct shl_stage *s)
{
    struct shl_context *ctx = s->ctx;
    if (!ctx)
        return;
    shl_batch_keep(s);
    shl_start_free(s->start);
    for (int i = 0; i < SHL_N_CALLBACKS; i++)
        shl_slot_free(ctx, s->functions[i]);
    for (uint32_t i = 0; i < s->n_sub_slots; i++)
        shl_slot_free(ctx, s->sub_slots[i]);
    sh_free(s->sub_slots);
    shl_slot_free(ctx, s->self_slot);
    shl_slot_free(ctx, s->co_slot);
    shl_slot_free(ctx, s->call_slot);
    shl_slot_free(ctx, s->requests);
}

static void destroy(sh_stage *self, void *state, void *arg)
{
    (void)self;
    shl_start_free(arg);
    if (state)
        shl_stage_release(state);
}

/* -- tables ---------------------------------------------------------------------------- */

/* The core behaves differently if these callbacks are missing: demand goes upstream, notifications
 * go on to the consumers, an exit signal ends the stage, and so does the first producer that ends.
 * For all other callbacks it makes no difference. */
#define OPS(demand, notification, exit_, end)                                              \
    {                                                                                      \
        .size = sizeof(struct shl_stage), .init = shl_start_init,                          \
        .handle_demand = (demand), .handle_events = handle_events,                         \
        .handle_subscribe = handle_subscribe, .handle_cancel = handle_cancel,              \
        .handle_call = handle_call, .handle_cast = handle_cast,                            \
        .handle_info = handle_info, .handle_notification = (notification),                 \
        .handle_exit = (exit_), .handle_down = shl_exits_handle_down, .handle_end = (end), \
        .format_discarded = format_discarded, .terminate = terminate,                      \
        .handle_reply = shl_stage_handle_reply, .destroy = destroy,                        \
        .locate = shl_place_of_callback, .arg_encode = shl_start_encode,                   \
        .arg_decode = shl_start_decode, .letters = shl_letters                             \
    }

#define OPS_BY_END(demand, notification, exit_)                                            \
    {                                                                                      \
        OPS(demand, notification, exit_, NULL),                                            \
            OPS(demand, notification, exit_, handle_end)                                   \
    }

#define OPS_BY_EXIT(demand, notification)                                                  \
    {                                                                                      \
        OPS_BY_END(demand, notification, NULL),                                            \
            OPS_BY_END(demand, notification, shl_exits_handle_exit)                        \
    }

static const sh_stage_ops variants[2][2][2][2] = {
    {OPS_BY_EXIT(NULL, NULL), OPS_BY_EXIT(NULL, handle_notification)},
    {OPS_BY_EXIT(handle_demand, NULL), OPS_BY_EXIT(handle_demand, handle_notification)},
};

const sh_stage_ops *shl_stage_ops_for(lua_State *L, int definition_index, sh_kind kind)
{
    int first = lua_gettop(L) + 1;
    shl_start_push_callbacks(L, definition_index);
    bool demand = kind != SH_CONSUMER && !lua_isnil(L, first + SHL_DEMAND);
    bool notification = !lua_isnil(L, first + SHL_NOTIFICATION);
    bool exit_ = !lua_isnil(L, first + SHL_EXIT);
    bool end = (kind == SH_CONSUMER || kind == SH_PRODUCER_CONSUMER) &&
               !lua_isnil(L, first + SHL_END);
    lua_settop(L, first - 1);
    return &variants[demand][notification][exit_][end];
}

/* SPDX-License-Identifier: MIT
 *
 * The Lua module "stagehost.spec": doors behind the public API for specs alone
 * (hooks_meta.lua says what each function does). It includes private headers on purpose and
 * is never installed. */
#include <string.h>
#include <uv.h>

#include "callbacks/wait.h"
#include "hooks_events.h"
#include "stage/host_state.h"
#include "stage/run_queue.h"
#include "stage/stage.h"
#include "state/call.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/slot.h"

/* -- holding and settling -------------------------------------------------------------- */

static int hooks_hold(lua_State *L)
{
    shl_check_stage(L, 1)->is_held = true;
    return 0;
}

static int hooks_release(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    stage->is_held = false;
    if (stage->phase != SH__PHASE_ENDED)
        sh__worker_schedule(stage->worker, stage);
    return 0;
}

static int settled(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)value;
    (void)error;
    sh_worker *worker = shl_context(L)->worker;
    if (status != SH_OK && worker->idle_waiter.stage) {
        sh_stage_unref(worker->idle_waiter.stage);
        worker->idle_waiter = (sh_from){0};
    }
    lua_pushboolean(L, status == SH_OK);
    return 1;
}

static int hooks_settle(lua_State *L)
{
    lua_Integer timeout_ms = luaL_optinteger(L, 1, 0);
    sh_worker *worker = shl_context(L)->worker;
    sh_from from = shl_wait_begin(L);
    if (sh_worker_await_idle(worker, from) < 0)
        return luaL_error(L, "settle: somebody else is waiting");
    if (timeout_ms > 0)
        sh_timer_wake(from.stage, (uint64_t)timeout_ms, from.ref, NULL);
    return shl_wait(L, from, settled);
}

/* -- protocol messages ----------------------------------------------------------------- */

static const struct {
    const char *name;
    enum sh__message_kind kind;
} kinds[] = {
    {"subscribe", SH__SUBSCRIBE},   {"ask", SH__ASK},
    {"cancel", SH__CANCEL_REQUEST}, {"cancel_consumer", SH__CANCEL},
    {"events", SH__EVENTS},         {"call", SH__CALL},
    {"reply", SH__REPLY},
};

static enum sh__message_kind check_kind(lua_State *L, int index)
{
    lua_getfield(L, index, "kind");
    const char *name = luaL_checkstring(L, -1);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            lua_pop(L, 1);
            return kinds[i].kind;
        }
    return (enum sh__message_kind)luaL_error(L, "unknown message kind %s", name);
}

static sh_error *field_reason(lua_State *L, int index)
{
    sh_error *reason = NULL;
    lua_getfield(L, index, "reason");
    shl_to_reason(L, lua_gettop(L), &reason);
    lua_pop(L, 1);
    return reason;
}

static int64_t field_integer(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    int64_t n = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static void fill_subscribe(lua_State *L, int index, struct sh__message *message)
{
    sh_subscribe_opts opts = {0};
    lua_getfield(L, index, "opts");
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "partition");
        opts.partition = lua_tostring(L, -1);
        lua_pushvalue(L, -2);
        hooks_payload_take(L, &opts.extra);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_getfield(L, index, "current");
    opts.current = shl_test_subscription(L, -1);
    lua_pop(L, 1);
    opts.current_reason = field_reason(L, index);
    message->subscribe = sh__subscribe_new(&opts);
}

enum { PROBE_REF = 1 }; /* answers to a probe are not distinguished */

static int hooks_inject(lua_State *L)
{
    sh_stage *from = shl_check_stage(L, 1);
    sh_stage *to = shl_check_stage(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct shl_context *ctx = shl_context(L);
    enum sh__message_kind kind = check_kind(L, 3);
    struct sh__message *message = sh__message_new(ctx->worker, kind, to);
    if (kind == SH__CALL) {
        lua_getfield(L, 3, "request");
        hooks_payload_take(L, &message->batch);
        message->from = (sh_from){sh_stage_ref(from), PROBE_REF};
    } else {
        lua_getfield(L, 3, "sub");
        sh__message_name(message, shl_check_subscription(L, -1));
        lua_pop(L, 1);
    }
    if (kind == SH__SUBSCRIBE) {
        fill_subscribe(L, 3, message);
    } else if (kind == SH__ASK) {
        message->ask.n = field_integer(L, 3, "n");
    } else if (kind == SH__EVENTS) {
        lua_getfield(L, 3, "events");
        hooks_events_take(L, &message->batch);
    } else if (kind != SH__CALL) {
        message->error = field_reason(L, 3);
    }
    sh__send(ctx->worker, message, NULL);
    return 0;
}

static int hooks_new_subscription(lua_State *L)
{
    sh_stage *consumer = shl_check_stage(L, 1);
    sh_stage *producer = shl_check_stage(L, 2);
    sh_subscription *sub = sh__subscription_new(shl_context(L)->worker, consumer, producer);
    /* It may never be opened. With references counted one by one, it ends with its last handle. */
    sub->local = false;
    sh__subscription_ungroup(sub);
    shl_push_subscription(L, sub);
    sh_subscription_unref(sub);
    return 1;
}

/* -- probes ---------------------------------------------------------------------------- */

struct probe {
    struct shl_context *ctx;
    uint32_t handle; /* slot */
};

static void set_reason(lua_State *L, const sh_error *reason)
{
    shl_push_reason(L, reason);
    lua_setfield(L, -2, "reason");
}

static void push_message(lua_State *L, struct sh__message *message, const char *kind)
{
    lua_newtable(L);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    if (message->sub) {
        shl_push_subscription(L, message->sub);
        lua_setfield(L, -2, "sub");
    }
    if (message->kind == SH__ASK) {
        lua_pushinteger(L, (lua_Integer)message->ask.n);
        lua_setfield(L, -2, "n");
    } else if (message->kind == SH__EVENTS) {
        hooks_events_push(L, message->batch);
        lua_setfield(L, -2, "events");
    } else if (message->kind == SH__SUBSCRIBE) {
        if (message->subscribe->opts.extra.list) {
            hooks_payload_push(L, message->subscribe->opts.extra);
            lua_setfield(L, -2, "opts");
        }
        if (message->subscribe->opts.current) {
            shl_push_subscription(L, message->subscribe->opts.current);
            lua_setfield(L, -2, "current");
            set_reason(L, message->subscribe->opts.current_reason);
        }
    } else if (message->kind == SH__REPLY && message->reply.status == SH_OK) {
        hooks_payload_push(L, message->batch);
        lua_setfield(L, -2, "value");
    } else {
        set_reason(L, message->error);
    }
}

static bool probe_tap(sh_stage *stage, struct sh__message *message, void *data)
{
    struct probe *probe = data;
    struct shl_context *ctx = probe->ctx;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind != (enum sh__message_kind)message->kind ||
            message->kind == SH__CALL)
            continue;
        lua_State *L = ctx->L;
        shl_slot_push(ctx, L, probe->handle);
        push_message(L, message, kinds[i].name);
        if (shl_pcall(L, 1, 0) != 0)
            lua_pop(L, 1);
        sh__message_free(stage->worker, message);
        return true;
    }
    return false;
}

static void probe_destroy(sh_stage *self, void *state, void *arg)
{
    (void)state;
    (void)arg;
    struct probe *probe = self ? self->tap_data : NULL;
    if (!probe)
        return;
    shl_slot_free(probe->ctx, probe->handle);
    sh_free(probe);
    self->tap = NULL;
}

static const sh_stage_ops probe_ops = {.destroy = probe_destroy};

static int hooks_start_probe(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    lua_getfield(L, 1, "name");
    sh_stage_opts opts = {
        .kind = SH_PROCESS, .ops = &probe_ops, .name = lua_tostring(L, -1)};
    sh_stage *stage = NULL;
    if (sh_stage_start(ctx->worker, &opts, (sh_from){0}, &stage, NULL) < 0)
        return luaL_error(L, "can't start the probe");
    struct probe *probe = sh_malloc(sizeof *probe);
    lua_getfield(L, 1, "handle");
    *probe = (struct probe){ctx, shl_slot_take(ctx, L)};
    stage->tap = probe_tap;
    stage->tap_data = probe;
    shl_push_stage(L, stage);
    sh_stage_unref(stage);
    return 1;
}

/* -- logs ------------------------------------------------------------------------------ */

struct listener {
    struct shl_context *ctx;
    uint32_t slot;
    sh_log_fn log; /* as it was before */
    void *log_data;
    sh_log_level level;
    uv_thread_t thread; /* of the worker whose state `slot` is in */
};

/* Log records of other workers are not passed on, because this state is not theirs. */
static void pass_record(void *data, const sh_log_record *record)
{
    struct listener *listener = data;
    struct shl_context *ctx = listener->ctx;
    uv_thread_t self = uv_thread_self();
    if (!uv_thread_equal(&self, &listener->thread))
        return;
    shl_slot_push(ctx, ctx->L, listener->slot);
    lua_pushstring(ctx->L, sh_log_code_name(record->code));
    lua_pushstring(ctx->L, record->stage);
    lua_pushstring(ctx->L, record->message);
    if (shl_pcall(ctx->L, 3, 0) != 0)
        lua_pop(ctx->L, 1);
}

static void restore_log(struct shl_context *ctx)
{
    sh_host_opts *opts = &sh_worker_host(ctx->worker)->opts;
    if (opts->log != pass_record)
        return;
    struct listener *old = opts->log_data;
    opts->log = old->log;
    opts->log_data = old->log_data;
    opts->log_level = old->level;
    shl_slot_free(ctx, old->slot);
    sh_free(old);
}

/* The state, and this module with it, is being closed. */
static int collect_listener(lua_State *L)
{
    struct shl_context **ctx = lua_touserdata(L, 1);
    restore_log(*ctx);
    return 0;
}

static int hooks_on_log(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    restore_log(ctx);
    if (lua_isnoneornil(L, 1))
        return 0;
    sh_host_opts *opts = &sh_worker_host(ctx->worker)->opts;
    struct listener *listener = sh_malloc(sizeof *listener);
    lua_settop(L, 1);
    *listener = (struct listener){ctx,
                                  shl_slot_take(ctx, L),
                                  opts->log,
                                  opts->log_data,
                                  opts->log_level,
                                  uv_thread_self()};
    opts->log = pass_record;
    opts->log_data = listener;
    opts->log_level = SH_LOG_TRACE;
    return 0;
}

static int hooks_fake_down(lua_State *L)
{
    sh_stage *stage = shl_check_stage(L, 1);
    sh_batch payload = {0};
    lua_pushliteral(L, "down");
    hooks_payload_take(L, &payload);
    sh_stage_send(shl_context(L)->worker, stage, payload, NULL);
    return 0;
}

/* endless_slices(): the order of turns does not depend on the clock any more */
static int hooks_endless_slices(lua_State *L)
{
    shl_context(L)->worker->slice_ns = UINT64_C(3600000000000);
    return 0;
}

static const luaL_Reg functions[] = {
    {"hold", hooks_hold},
    {"release", hooks_release},
    {"settle", hooks_settle},
    {"endless_slices", hooks_endless_slices},
    {"inject", hooks_inject},
    {"new_subscription", hooks_new_subscription},
    {"start_probe", hooks_start_probe},
    {"on_log", hooks_on_log},
    {"fake_down", hooks_fake_down},
    {NULL, NULL},
};

int luaopen_stagehost_spec(lua_State *L);

int luaopen_stagehost_spec(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    struct shl_context **guard = lua_newuserdata(L, sizeof *guard);
    *guard = shl_context(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, collect_listener);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return 1;
}

/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* A Lua table of callbacks as a dispatcher. Each producer gets an instance: a table whose
 * metatable's __index is the callbacks. None of them may wait.
 *
 *   init(self, options)            optional; options of the form { Dispatcher, rate = 5 }
 *   subscribe(self, sub, opts)     a new consumer, with its subscription options; `return false,
 *                                  reason` (or an error) refuses it
 *   cancel(self, sub)              the consumer is gone
 *   ask(self, sub, n)              the consumer wants n more events
 *   credit(self) -> n              optional; how many events dispatch would take now; without it:
 *                                  as many as were asked for and not sent yet
 *   dispatch(self, events, send)   sends events by send(sub, list); returns how many of `events`
 *                                  it took from the head, or the list of the events left; nil:
 *                                  it took all
 *
 * The demand of each subscription is counted here too: sending a consumer more events than it
 * asked for is an error of the dispatcher, which ends the producer. */
/* clang-format on */
#include "options/lua_dispatcher.h"

#include <string.h>

#include "events/batch.h"
#include "options/run.h"
#include "state/call.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/raise.h"
#include "state/slot.h"

#define FUNCTION_MAP(XX)                                                                   \
    XX(SUBSCRIBE, "subscribe")                                                             \
    XX(CANCEL, "cancel")                                                                   \
    XX(ASK, "ask")                                                                         \
    XX(CREDIT, "credit")                                                                   \
    XX(DISPATCH, "dispatch")

enum function {
#define XX(name, text) name,
    FUNCTION_MAP(XX)
#undef XX
        N_FUNCTIONS
};

static const char *const names[] = {
#define XX(name, text) text,
    FUNCTION_MAP(XX)
#undef XX
};

struct lua_dispatcher {
    struct shl_context *ctx;
    sh_stage *stage;                 /* its producer */
    uint32_t functions[N_FUNCTIONS]; /* slots; 0: there is none */
    uint32_t instance, send;         /* slots */
    struct lua_dispatcher **door;    /* how `send` finds this struct; NULL after fini */
    sh_dispatch *out;                /* while dispatch runs */
    int64_t sent;                    /* in this dispatch */
    int64_t asked;                   /* by all, and not sent yet */
    sh_error *failure;               /* of credit, until the next dispatch can report it */
};

/* One call of a callback. */
struct job {
    struct lua_dispatcher *self;
    enum function function;
    sh_subscription *sub;
    const sh_subscribe_opts *opts;
    int64_t n;
    sh_batch batch;
    sh_error *error;
};

/* -- demand ---------------------------------------------------------------------------- */

/* The demand of one consumer is kept in the word that a dispatcher has for its subscription. */
static int64_t get_credit(sh_subscription *sub)
{
    return (intptr_t)*sh_subscription_dispatch_data(sub);
}

static void set_credit(struct lua_dispatcher *self, sh_subscription *sub, int64_t n)
{
    self->asked += n - get_credit(sub);
    *sh_subscription_dispatch_data(sub) = (void *)(intptr_t)n;
}

/* send(sub, events) */
static int send_events(lua_State *L)
{
    struct lua_dispatcher **door = lua_touserdata(L, lua_upvalueindex(1)), *self = *door;
    if (!self || !self->out)
        return luaL_error(L,
                          "send: can only be called inside the dispatch it was given to");
    sh_subscription *sub = shl_check_subscription(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int64_t n = (int64_t)lua_objlen(L, 2), credit = get_credit(sub);
    if (sh_subscription_producer(sub) != self->stage)
        return luaL_error(L, "send: this subscription belongs to another producer");
    if (n > credit)
        return luaL_error(L, "send: %d events for a consumer that has asked for %d", (int)n,
                          (int)credit);
    sh_batch batch;
    lua_settop(L, 2);
    int status = shl_batch_take(self->ctx, L, (uint32_t)n, &batch);
    if (status < 0)
        return shl_raise(L, "send", status, NULL);
    if (n > 0) {
        set_credit(self, sub, credit - n);
        self->sent += n;
        self->out->send(self->out, sub, batch);
    }
    return 0;
}

/* -- calling --------------------------------------------------------------------------- */

static void push_function(struct job *job, lua_State *L)
{
    struct lua_dispatcher *self = job->self;
    shl_slot_push(self->ctx, L, self->functions[job->function]);
    shl_slot_push(self->ctx, L, self->instance);
}

/* Reads a refusal: false or nothing at `index`, then a reason. */
static void read_refusal(struct job *job, lua_State *L, int index)
{
    bool refused = lua_isboolean(L, index) && !lua_toboolean(L, index);
    if (refused && (shl_to_reason(L, index + 1, &job->error) < 0 || !job->error))
        job->error =
            sh_error_fmt(SH_REASON_CUSTOM, 0, "refused", "the dispatcher refused it");
}

static int do_subscribe(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    push_function(job, L);
    shl_push_subscription(L, job->sub);
    shl_payload_push(job->self->ctx, L, job->opts->extra);
    if (lua_isnil(L, -1)) { /* from a consumer in C, which gave none */
        lua_pop(L, 1);
        lua_newtable(L);
    }
    if (shl_run(job->self->ctx, names[SUBSCRIBE], 3, 2, &job->error) == SH_OK)
        read_refusal(job, L, 2);
    return 0;
}

/* cancel and ask */
static int do_tell(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    push_function(job, L);
    shl_push_subscription(L, job->sub);
    if (job->function == ASK)
        lua_pushnumber(L, (lua_Number)job->n);
    shl_run(job->self->ctx, names[job->function], lua_gettop(L) - 2, 0, &job->error);
    return 0;
}

static int do_credit(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    push_function(job, L);
    if (shl_run(job->self->ctx, names[CREDIT], 1, 1, &job->error) < 0)
        return 0;
    lua_Number n = lua_tonumber(L, -1);
    if (lua_type(L, -1) == LUA_TNUMBER && n >= 0 && n <= 0x1p53)
        job->n = (int64_t)n;
    else
        job->error = sh_error_fmt(SH_REASON_BAD_RETURN, 0, NULL,
                                  "credit must return a number of events, got %s",
                                  luaL_typename(L, -1));
    return 0;
}

/* The number of events taken if the list at `left` is the rest; -1 if it is not their tail. */
static int64_t count_taken(lua_State *L, int events, int left, int64_t n)
{
    int64_t taken = n - (int64_t)lua_objlen(L, left);
    for (int64_t i = taken < 0 ? n : taken; i < n; i++) {
        lua_rawgeti(L, events, (int)i + 1);
        lua_rawgeti(L, left, (int)(i - taken) + 1);
        bool same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (!same)
            return -1;
    }
    return taken;
}

static void read_taken(struct job *job, lua_State *L, int events, int result)
{
    int64_t n = job->batch.n;
    lua_Number number = lua_tonumber(L, result);
    job->n = -1;
    if (lua_isnil(L, result))
        job->n = n;
    else if (lua_istable(L, result))
        job->n = count_taken(L, events, result, n);
    else if (lua_type(L, result) == LUA_TNUMBER && number >= 0 && number <= (lua_Number)n)
        job->n = (int64_t)number;
    if (job->n < 0)
        job->error = sh_error_fmt(
            SH_REASON_BAD_RETURN, 0, NULL,
            "dispatch must return how many of its %d events it took, a list of "
            "the last of them, or nil",
            (int)n);
}

static int do_dispatch(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct lua_dispatcher *self = job->self;
    if (shl_run_push_events(self->ctx, job->batch, &job->error) < 0)
        return 0;
    push_function(job, L); /* job, events, function, instance */
    lua_pushvalue(L, 2);
    shl_slot_push(self->ctx, L, self->send);
    if (shl_run(self->ctx, names[DISPATCH], 3, 1, &job->error) == SH_OK)
        read_taken(job, L, 2, 3);
    return 0;
}

/* The error of the callback; NULL: none. */
static sh_error *run_job(struct job *job, lua_CFunction f)
{
    sh_error *error = NULL;
    if (shl_protect(job->self->ctx, f, job, &error) < 0) {
        sh_error_unref(job->error);
        return error;
    }
    return job->error;
}

/* -- the core's callbacks -------------------------------------------------------------- */

static void release(struct lua_dispatcher *self)
{
    if (self->door)
        *self->door = NULL;
    for (int i = 0; i < N_FUNCTIONS; i++)
        shl_slot_free(self->ctx, self->functions[i]);
    shl_slot_free(self->ctx, self->instance);
    shl_slot_free(self->ctx, self->send);
    sh_error_unref(self->failure);
}

static void fini(void *state)
{
    release(state);
}

/* Keeps the functions of the instance at the top of the stack in slots. */
static void keep_functions(struct lua_dispatcher *self, lua_State *L)
{
    for (int i = 0; i < N_FUNCTIONS; i++) {
        lua_getfield(L, -1, names[i]);
        if (lua_isnil(L, -1))
            lua_pop(L, 1);
        else
            self->functions[i] = shl_slot_take(self->ctx, L);
    }
}

static void make_send(struct lua_dispatcher *self, lua_State *L)
{
    self->door = lua_newuserdata(L, sizeof *self->door);
    *self->door = self;
    lua_pushcclosure(L, send_events, 1);
    self->send = shl_slot_take(self->ctx, L);
}

/* init_instance(self, { callbacks, options }) */
static int init_instance(lua_State *L)
{
    struct lua_dispatcher *self = lua_touserdata(L, 1);
    lua_newtable(L);
    lua_newtable(L); /* self, form, instance, metatable */
    lua_getfield(L, 2, "callbacks");
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 3); /* self, form, instance */
    make_send(self, L);
    keep_functions(self, L);
    lua_pushvalue(L, 3);
    self->instance = shl_slot_take(self->ctx, L);
    lua_getfield(L, 3, "init");
    if (lua_isnil(L, -1))
        return 0;
    lua_pushvalue(L, 3);
    lua_getfield(L, 2, "options");
    lua_call(L, 2, 0);
    return 0;
}

static int init(void *state, const void *data, uint64_t seed, sh_error **error)
{
    struct lua_dispatcher *self = state;
    const struct shl_lua_dispatcher_opts *opts = data;
    (void)seed;
    self->ctx = opts->ctx;
    self->stage = opts->stage;
    lua_pushcfunction(opts->L, init_instance);
    lua_pushlightuserdata(opts->L, self);
    lua_pushvalue(opts->L, opts->index);
    int status = shl_run(self->ctx, "dispatcher", 2, 0, error);
    if (status < 0)
        release(self);
    return status;
}

static int subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                     sh_error **error)
{
    struct job job = {.self = state, .function = SUBSCRIBE, .sub = sub, .opts = opts};
    *sh_subscription_dispatch_data(sub) = NULL;
    *error = run_job(&job, do_subscribe);
    return *error ? SH_EFAILED : SH_OK;
}

static void cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct job job = {.self = state, .function = CANCEL, .sub = sub};
    set_credit(state, sub, 0);
    sh_error *error = run_job(&job, do_tell);
    if (!error)
        return;
    sh_log(out->worker, SH_LOG_ERROR, sh_stage_name(job.self->stage),
           "dispatcher: cancel: %s", sh_error_get(error)->message);
    sh_error_unref(error);
}

static void ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    n = sh_demand_room(get_credit(sub), n);
    struct job job = {.self = state, .function = ASK, .sub = sub, .n = n};
    set_credit(state, sub, get_credit(sub) + n);
    sh_error *error = run_job(&job, do_tell);
    if (error)
        out->fail(out, sub, error);
}

/* The core asks for credit where nothing can fail: the next dispatch reports the error, and the
 * credit returned makes sure that there is one. */
static int64_t credit(const void *state)
{
    struct lua_dispatcher *self = *((const struct lua_dispatcher *)state)->door;
    if (self->functions[CREDIT] == 0)
        return self->asked;
    struct job job = {.self = self, .function = CREDIT};
    sh_error *error = run_job(&job, do_credit);
    if (!error)
        return job.n;
    sh_error_unref(self->failure);
    self->failure = error;
    return 1;
}

static int64_t dispatch(void *state, sh_batch batch, sh_dispatch *out, sh_error **error)
{
    struct lua_dispatcher *self = state;
    struct job job = {.self = self, .function = DISPATCH, .batch = batch};
    *error = self->failure;
    self->failure = NULL;
    if (*error)
        return SH_EFAILED;
    self->out = out;
    self->sent = 0;
    *error = run_job(&job, do_dispatch);
    self->out = NULL;
    if (*error)
        return SH_EFAILED;
    if (self->sent < job.n) /* taken, but sent to no consumer */
        out->skip(out, (uint32_t)(job.n - self->sent), NULL);
    return job.n;
}

const sh_dispatcher_ops shl_lua_dispatcher = {
    .name = "lua",
    .size = sizeof(struct lua_dispatcher),
    .init = init,
    .fini = fini,
    .subscribe = subscribe,
    .cancel = cancel,
    .ask = ask,
    .credit = credit,
    .dispatch = dispatch,
    .reads = SH_READS_ALL,
};

/* SPDX-License-Identifier: MIT
 *
 * Starting a Lua stage: the data that travels to its worker, and init. */
#include "callbacks/start.h"

#include <string.h>

#include "callbacks/callback.h"
#include "callbacks/result.h"
#include "events/transfer.h"
#include "options/init_options.h"
#include "state/call.h"
#include "state/handle.h"
#include "state/interrupt.h"
#include "state/slot.h"

enum part { DEFINITION, ARGS, OPTIONS, N_PARTS };

/* The fields of the parts in the table that travels; messages about a part begin with its field. */
static const char *const part_names[N_PARTS] = {"definition", "args", "options"};

struct shl_start {
    struct shl_context *ctx;
    uint32_t parts[N_PARTS]; /* slots; 0: nil */
};

static struct shl_start *start_make(struct shl_context *ctx)
{
    struct shl_start *start = sh_malloc(sizeof *start);
    if (start)
        *start = (struct shl_start){.ctx = ctx};
    return start;
}

void shl_start_free(struct shl_start *start)
{
    if (!start)
        return;
    for (int i = 0; i < N_PARTS; i++)
        shl_slot_free(start->ctx, start->parts[i]);
    sh_free(start);
}

/* Keeps the value on top of L as a part; pops it. False: out of memory. */
static bool keep(struct shl_start *start, lua_State *L, enum part part)
{
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return true;
    }
    start->parts[part] = shl_slot_try(start->ctx, L);
    return start->parts[part] != 0;
}

static void push_part(const struct shl_start *start, lua_State *L, enum part part)
{
    if (start->parts[part])
        shl_slot_push(start->ctx, L, start->parts[part]);
    else
        lua_pushnil(L);
}

struct shl_start *shl_start_new(lua_State *L, int definition_index, int args_index,
                                int options_index)
{
    const int indices[N_PARTS] = {definition_index, args_index, options_index};
    struct shl_start *start = start_make(shl_context(L));
    bool ok = start != NULL;
    for (int i = 0; ok && i < N_PARTS; i++) {
        if (indices[i] == 0)
            continue;
        lua_pushvalue(L, indices[i]);
        ok = keep(start, L, (enum part)i);
    }
    if (!ok) {
        shl_start_free(start);
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    }
    return start;
}

/* -- to another worker: one table, so that what its parts share stays shared ----------- */

struct start_job {
    struct shl_context *ctx;
    struct shl_start *start;
    const sh_parcel *in;
    sh_parcel *out;
    sh_error *error;
    int status;
};

static int encode(lua_State *L)
{
    struct start_job *job = lua_touserdata(L, 1);
    lua_createtable(L, 0, N_PARTS);
    for (int i = 0; i < N_PARTS; i++) {
        push_part(job->start, L, (enum part)i);
        lua_setfield(L, -2, part_names[i]);
    }
    job->status = shl_encode_start(L, job->out, &job->error);
    return 0;
}

static int decode(lua_State *L)
{
    struct start_job *job = lua_touserdata(L, 1);
    job->status = shl_decode_value(L, job->in, &job->error);
    for (int i = 0; job->status == SH_OK && i < N_PARTS; i++) {
        lua_getfield(L, -1, part_names[i]);
        if (!keep(job->start, L, (enum part)i))
            job->status = SH_ENOMEM;
    }
    return 0;
}

static int run_job(struct start_job *job, lua_CFunction f, sh_error **error)
{
    int status = shl_protect(job->ctx, f, job, &job->error);
    if (status == SH_OK)
        status = job->status;
    if (error)
        *error = job->error;
    else
        sh_error_unref(job->error);
    return status;
}

int shl_start_encode(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error)
{
    struct start_job job = {.ctx = shl_worker_context(worker), .start = arg, .out = out};
    int status = run_job(&job, encode, error);
    shl_start_free(job.start);
    return status;
}

int shl_start_decode(sh_worker *worker, const sh_parcel *parcel, void **arg,
                     sh_error **error)
{
    struct start_job job = {.ctx = shl_worker_context(worker), .in = parcel};
    job.start = start_make(job.ctx);
    if (!job.start)
        return SH_ENOMEM;
    int status = run_job(&job, decode, error);
    if (status == SH_OK)
        *arg = job.start;
    else
        shl_start_free(job.start);
    return status;
}

/* -- init ------------------------------------------------------------------------------ */

void shl_start_open(lua_State *L)
{
#define XX(name, text) "d['" text "'],"
    static const char code[] = "return function(d) return " SHL_CALLBACK_MAP(XX) "nil end";
#undef XX
    if (luaL_loadbuffer(L, code, sizeof code - 1, "=callbacks") != 0)
        lua_error(L);
    lua_call(L, 0, 1);
}

void shl_start_push_callbacks(lua_State *L, int definition_index)
{
    luaL_checkstack(L, SHL_N_CALLBACKS + LUA_MINSTACK, "callbacks");
    lua_pushvalue(L, definition_index);
    shl_helper_push(shl_context(L), L, SHL_HELPER_CALLBACKS);
    lua_insert(L, -2);
    lua_call(L, 1, SHL_N_CALLBACKS);
}

/* The functions of the definition at `index`. */
static void keep_functions(struct shl_stage *s, lua_State *L, int index)
{
    int top = lua_gettop(L);
    shl_start_push_callbacks(L, index);
    for (int i = SHL_INIT; i <= SHL_TERMINATE; i++) {
        int at = top + 1 + i;
        if (lua_isnil(L, at))
            continue;
        lua_pushvalue(L, at);
        if (!lua_isfunction(L, -1))
            luaL_error(L, "the callback %s must be a function, not a %s",
                       shl_callback_name((enum shl_callback)i), luaL_typename(L, -1));
        shl_place_keep(s, L, (enum shl_callback)i);
        s->functions[i] = shl_slot_take(s->ctx, L);
    }
    lua_settop(L, top);
}

/* The instance: an empty table that finds everything else in its definition. */
static int set_up(lua_State *L)
{
    struct shl_stage *s = lua_touserdata(L, 1);
    shl_callback_enter(s, L);
    push_part(s->start, L, DEFINITION); /* data, definition */
    keep_functions(s, L, 2);
    lua_newtable(L); /* data, definition, instance */
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, 3);
    shl_push_stage(L, s->self);
    lua_setfield(L, 3, "stage");
    s->self_slot = shl_slot_take(s->ctx, L);
    return 0;
}

int shl_start_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct shl_stage *s = state;
    s->self = self;
    s->ctx = shl_worker_context(sh_stage_worker(self));
    s->start = arg;
    s->callback = SHL_INIT;
    sh_error *error = NULL;
    if (shl_protect(s->ctx, set_up, s, &error) < 0)
        return shl_callback_fail(s, error, r);
    if (shl_callback_begin(s, SHL_INIT, r) < 0)
        return SH_EFAILED;
    if (!s->functions[SHL_INIT])
        return shl_result_take(s, r);
    shl_slot_push(s->ctx, s->co, s->functions[SHL_INIT]);
    shl_slot_push(s->ctx, s->co, s->self_slot);
    push_part(s->start, s->co, ARGS);
    return shl_callback_run(s, 2, r);
}

int shl_start_configure(struct shl_stage *s, lua_State *L, int index, sh_error **error)
{
    push_part(s->start, L, OPTIONS);
    int status = shl_apply_init_options(L, s->self, lua_gettop(L), index, error);
    lua_pop(L, 1);
    shl_start_free(s->start);
    s->start = NULL;
    return status;
}

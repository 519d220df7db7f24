/* SPDX-License-Identifier: MIT
 *
 * Starting stages. What must be known before a stage exists (kind, name, worker) goes to
 * the core at once; all other options travel with the definition, as the table they are,
 * and are applied by the new stage in its init: a hash or a dispatcher is a Lua function of
 * that worker's state. */
#include "options/init_options.h"

#include <string.h>

#include "callbacks/callback.h"
#include "callbacks/stage.h"
#include "doors/module.h"
#include "objects/subscription.h"
#include "options/dispatcher.h"
#include "options/run.h"
#include "state/handle.h"

/* -- fields ------------------------------------------------------------------------------
 */

/* The index of one of the words; the first if there is no such field. */
static int word_field(lua_State *L, int index, const char *key, const char *const *words)
{
    lua_getfield(L, index, key);
    int which = luaL_checkoption(L, -1, words[0], words);
    lua_pop(L, 1);
    return which;
}

static int64_t integer_field(lua_State *L, int index, const char *key)
{
    lua_getfield(L, index, key);
    int64_t value = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool boolean_field(lua_State *L, int index, const char *key)
{
    lua_getfield(L, index, key);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* -- starting ----------------------------------------------------------------------------
 */

static sh_kind kind_field(lua_State *L, int index)
{
    static const char *const words[] = {"producer", "producer_consumer", "consumer",
                                        "process", NULL};
    static const sh_kind kinds[] = {SH_PRODUCER, SH_PRODUCER_CONSUMER, SH_CONSUMER,
                                    SH_PROCESS};
    return kinds[word_field(L, index, "kind", words)];
}

static int convert_started(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    (void)value;
    if (status < 0)
        return shl_return_failure(L, status, error);
    lua_pushboolean(L, 1);
    return 1;
}

/* A taken name is an expected failure; what is left is a mistake in the script or its data.
 */
static int refuse_start(lua_State *L, int status, sh_error *error)
{
    if (status != SH_EEXIST)
        return shl_raise(L, "stagehost.start", status, error);
    int n = shl_return_failure(L, status, error);
    sh_error_unref(error);
    return n;
}

/* start(definition, request of options.lua) -> true | nil, message, reason; the handle is
 * left in request.stage, since a waiting C function can keep nothing. */
static int start(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    sh_from from = shl_wait_begin(L);
    lua_settop(L, 2);
    lua_getfield(L, 2, "args");
    lua_getfield(L, 2, "options");
    lua_getfield(L, 2, "name"); /* definition, request, args, options, name */
    sh_stage_opts opts = {
        .kind = kind_field(L, 2),
        .name = lua_tostring(L, 5),
        .worker = (int)integer_field(L, 2, "worker"),
        .link = boolean_field(L, 2, "link") ? from.stage : NULL,
        .supervised = boolean_field(L, 2, "supervised"),
    };
    opts.ops = shl_stage_ops_for(L, 1, opts.kind);
    void **holder = shl_push_stage_holder(L);
    opts.arg = shl_start_new(L, 1, 3, 4);
    sh_stage *stage = NULL;
    sh_error *error = NULL;
    int status = sh_stage_start(ctx->worker, &opts, from, &stage, &error);
    *holder = stage;
    if (status < 0)
        return refuse_start(L, status, error);
    shl_push_stage(L, stage);
    lua_setfield(L, 2, "stage");
    return shl_wait(L, from, convert_started);
}

/* -- init options ------------------------------------------------------------------------
 */

static void read_buffer(lua_State *L, int index, sh_stage_opts *out)
{
    static const char *const keeps[] = {"last", "first", NULL};
    static const char *const modes[] = {"forward", "accumulate", NULL};
    out->buffer_size = integer_field(L, index, "buffer_size");
    out->buffer_keep =
        word_field(L, index, "buffer_keep", keeps) ? SH_KEEP_FIRST : SH_KEEP_LAST;
    out->discard_buffer_when_no_consumers =
        boolean_field(L, index, "discard_buffer_when_no_consumers");
    out->demand =
        word_field(L, index, "demand", modes) ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD;
    out->polling_interval_ms = (uint64_t)integer_field(L, index, "polling_interval");
    shl_rate_read(L, index, &out->rate);
    out->end_with_last = boolean_field(L, index, "end_with_last");
    out->await_consumers = boolean_field(L, index, "await_consumers");
}

/* on_error = { policy =, times =, delay =, factor =, after = }, as options.lua makes it. */
static void read_on_error(lua_State *L, int index, sh_stage_opts *out)
{
    static const char *const policies[] = {"stop", "skip", "retry", "dead_letter", NULL};
    static const sh_on_error values[] = {SH_ON_ERROR_STOP, SH_ON_ERROR_SKIP,
                                         SH_ON_ERROR_RETRY, SH_ON_ERROR_DEAD_LETTER};
    lua_getfield(L, index, "on_error");
    if (lua_istable(L, -1)) {
        int table = lua_gettop(L);
        out->on_error = values[word_field(L, table, "policy", policies)];
        out->retry.after = values[word_field(L, table, "after", policies)];
        out->retry.times = (uint32_t)integer_field(L, table, "times");
        out->retry.delay_ms = integer_field(L, table, "delay");
        lua_getfield(L, table, "factor");
        out->retry.factor = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* A handle or a name, which the table keeps alive. */
static void read_dead_letter(lua_State *L, int index, sh_stage_opts *out)
{
    lua_getfield(L, index, "dead_letter");
    out->dead_letter = shl_test_stage(L, -1);
    if (!out->dead_letter)
        out->dead_letter_name = lua_tostring(L, -1);
    lua_pop(L, 1);
}

/* Pushes the array. */
static int read_subscribe_to(lua_State *L, int list, sh_stage_opts *out)
{
    size_t n = lua_objlen(L, list);
    sh_subscribe_opts *array = lua_newuserdata(L, n * sizeof *array + 1);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, list, (int)i + 1);
        int status = shl_subscribe_opts_read(L, lua_gettop(L), &array[i]);
        lua_pop(L, 1);
        if (status == SH_OK)
            continue;
        while (i > 0)
            shl_subscribe_opts_drop(&array[--i]);
        return status;
    }
    out->subscribe_to = array;
    out->n_subscribe_to = n;
    return SH_OK;
}

/* The table at `index` is of the form that options.merge answers. */
static int configure(lua_State *L, sh_stage *self, int index, sh_error **error)
{
    sh_stage_opts opts = {.kind = sh_stage_kind(self)};
    sh_splitter *splitter = NULL;
    struct shl_stage *s = sh_stage_state(self);
    s->demand_by = boolean_field(L, index, "demand_by");
    read_buffer(L, index, &opts);
    read_on_error(L, index, &opts);
    read_dead_letter(L, index, &opts);
    lua_getfield(L, index, "dispatcher");
    if (!lua_isnil(L, -1))
        shl_dispatcher_read(L, lua_gettop(L), self, &opts, &splitter);
    lua_getfield(L, index, "subscribe_to");
    int status = lua_isnil(L, -1) ? SH_OK : read_subscribe_to(L, lua_gettop(L), &opts);
    if (status == SH_OK)
        return sh_stage_configure(self, &opts, error);
    if (splitter)
        splitter->free(splitter);
    return status;
}

/* Pushes what options.merge makes of both tables. */
static int push_merged(lua_State *L, const sh_stage *self, int start_index,
                       int returned_index, sh_error **error)
{
    shl_run_require(L, "stagehost.options", "merge");
    lua_pushstring(L, shl_kind_word(sh_stage_kind(self)));
    lua_pushvalue(L, start_index);
    lua_pushvalue(L, returned_index);
    lua_call(L, 3, 2); /* options or nil, message */
    if (lua_isnil(L, -2)) {
        *error = sh_error_new(&(sh_error_fields){.kind = SH_REASON_RAISED,
                                                 .code = SH_EBADOPT,
                                                 .message = lua_tostring(L, -1),
                                                 .stage = sh_stage_name(self),
                                                 .callback = "init"});
        return SH_EBADOPT;
    }
    lua_pop(L, 1);
    return SH_OK;
}

int shl_apply_init_options(lua_State *L, sh_stage *self, int start_index,
                           int returned_index, sh_error **error)
{
    int top = lua_gettop(L), status = SH_OK;
    bool has_start = start_index != 0 && !lua_isnil(L, start_index);
    bool has_returned = returned_index != 0 && !lua_isnil(L, returned_index);
    if (!has_start && !has_returned)
        return SH_OK;
    luaL_checkstack(L, 30, "options");
    lua_pushnil(L);
    int nothing = lua_gettop(L);
    if (has_returned)
        status =
            push_merged(L, self, has_start ? start_index : nothing, returned_index, error);
    else
        lua_pushvalue(L, start_index);
    if (status == SH_OK)
        status = configure(L, self, lua_gettop(L), error);
    lua_settop(L, top);
    return status;
}

const luaL_Reg shl_options_functions[] = {
    {"start", start},
    {NULL, NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * The options of a stage except those that must be known before it exists. They travel with its
 * definition, as a table, and the new stage applies them in its init: a hash or a dispatcher is
 * a Lua function of that worker's state. */
#include "options/init_options.h"

#include <string.h>

#include "options/dispatcher.h"
#include "options/field.h"
#include "options/run.h"
#include "options/subscribe_options.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/words.h"

/* "infinity", a number, or none. */
static int64_t buffer_size(lua_State *L, int index)
{
    lua_getfield(L, index, "buffer_size");
    int64_t size = (int64_t)lua_tonumber(L, -1);
    if (lua_isnil(L, -1))
        size = SH_BUFFER_DEFAULT;
    else if (lua_type(L, -1) == LUA_TSTRING)
        size = SH_BUFFER_INFINITY;
    else if (size == 0)
        size = SH_BUFFER_NONE;
    lua_pop(L, 1);
    return size;
}

static void read_buffer(lua_State *L, int index, sh_stage_opts *out)
{
    out->buffer_size = buffer_size(L, index);
    out->buffer_keep = (sh_keep)shl_word_field(L, index, "buffer_keep", shl_keep_words);
    out->discard_buffer_when_no_consumers =
        shl_boolean_field(L, index, "discard_buffer_when_no_consumers");
    out->demand = (sh_demand_mode)shl_word_field(L, index, "demand", shl_demand_mode_words);
    out->polling_interval_ms = (uint64_t)shl_integer_field(L, index, "polling_interval");
    shl_rate_read(L, index, &out->rate);
    out->end_with_last = shl_boolean_field(L, index, "end_with_last");
    out->await_consumers = shl_boolean_field(L, index, "await_consumers");
}

/* 0 is the core's default, not a delay of 0. */
static int64_t retry_delay(lua_State *L, int index)
{
    lua_getfield(L, index, "delay");
    bool is_now = !lua_isnil(L, -1) && lua_tonumber(L, -1) == 0;
    int64_t delay = is_now ? SH_RETRY_NOW : (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return delay;
}

static sh_on_error policy_field(lua_State *L, int index, const char *key)
{
    return (sh_on_error)shl_word_field(L, index, key, shl_on_error_words);
}

/* on_error = { policy =, times =, delay =, factor =, cap =, jitter =, after = }: see
 * options/on_error.lua. */
static void read_on_error(lua_State *L, int index, sh_stage_opts *out)
{
    lua_getfield(L, index, "on_error");
    if (lua_istable(L, -1)) {
        int table = lua_gettop(L);
        out->on_error = policy_field(L, table, "policy");
        out->retry.after = policy_field(L, table, "after");
        out->retry.times = (uint32_t)shl_integer_field(L, table, "times");
        out->retry.delay_ms = retry_delay(L, table);
        lua_getfield(L, table, "factor");
        out->retry.factor = lua_tonumber(L, -1);
        out->retry.cap_ms = (uint64_t)shl_integer_field(L, table, "cap");
        lua_getfield(L, table, "jitter");
        out->retry.jitter = lua_tonumber(L, -1);
        lua_pop(L, 2);
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

static int64_t demand_field(lua_State *L, int index, const char *key, bool *is_given)
{
    lua_getfield(L, index, key);
    int64_t value = (int64_t)lua_tonumber(L, -1);
    *is_given = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return value;
}

static void read_defaults(lua_State *L, int index, sh_subscribe_defaults *out)
{
    bool is_given;
    out->max_demand = demand_field(L, index, "max_demand", &is_given);
    out->min_demand = demand_field(L, index, "min_demand", &out->has_min);
    out->cancel = shl_cancel_read(L, index);
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

/* The table at `index` has the form that options.merge returns. */
static int configure(lua_State *L, sh_stage *self, int index, sh_error **error)
{
    sh_stage_opts opts = {.kind = sh_stage_kind(self)};
    sh_splitter *splitter = NULL;
    struct shl_stage *s = sh_stage_state(self);
    s->demand_by = shl_boolean_field(L, index, "demand_by");
    s->is_packed = shl_boolean_field(L, index, "packed");
    read_buffer(L, index, &opts);
    read_on_error(L, index, &opts);
    read_dead_letter(L, index, &opts);
    read_defaults(L, index, &opts.defaults);
    lua_getfield(L, index, "dispatcher");
    if (!lua_isnil(L, -1))
        shl_dispatcher_read(L, lua_gettop(L), self, &opts, &splitter);
    lua_getfield(L, index, "subscribe_to");
    int status = lua_isnil(L, -1) ? SH_OK : read_subscribe_to(L, lua_gettop(L), &opts);
    if (status == SH_OK)
        return sh_stage_configure(self, &opts, error);
    if (splitter)
        splitter->free(splitter);
    if (opts.combine.combiner)
        opts.combine.combiner->free(opts.combine.combiner);
    return status;
}

/* Pushes the result of options.merge for both tables. */
static int push_merged(lua_State *L, const sh_stage *self, int start_index,
                       int returned_index, sh_error **error)
{
    shl_run_require(L, "stagehost.options", "merge");
    lua_pushstring(L, shl_kind_words[sh_stage_kind(self)]);
    lua_pushvalue(L, start_index);
    lua_pushvalue(L, returned_index);
    lua_call(L, 3, 2); /* options or nil, message */
    if (lua_isnil(L, -2)) {
        *error = sh_error_new(&(sh_error_fields){.kind = SH_REASON_RAISED,
                                                 .code = SH_EBADOPT,
                                                 .message = shl_push_c_text(L, -1),
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

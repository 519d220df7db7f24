/* SPDX-License-Identifier: MIT */
#include "options/subscribe_options.h"

#include "events/batch.h"
#include "state/context.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/words.h"

/* Strings stay alive with the table at `index`. */
static const char *string_field(lua_State *L, int index, const char *key)
{
    lua_getfield(L, index, key);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static int64_t integer_field(lua_State *L, int index, const char *key, bool *is_given)
{
    lua_getfield(L, index, key);
    int64_t value = (int64_t)lua_tonumber(L, -1);
    *is_given = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return value;
}

sh_cancel shl_cancel_check(lua_State *L, int index)
{
    return SH_CANCEL_PERMANENT +
           (sh_cancel)luaL_checkoption(L, index, NULL, shl_cancel_words);
}

sh_cancel shl_cancel_read(lua_State *L, int index)
{
    lua_getfield(L, index, "cancel");
    sh_cancel mode = lua_isnil(L, -1) ? SH_CANCEL_DEFAULT : shl_cancel_check(L, -1);
    lua_pop(L, 1);
    return mode;
}

/* `to` is a handle, kept alive by the table, or a name. */
static void read_target(lua_State *L, int index, sh_subscribe_opts *out)
{
    lua_getfield(L, index, "to");
    out->to = shl_test_stage(L, -1);
    lua_pop(L, 1);
    if (!out->to)
        out->to_name = string_field(L, index, "to");
}

void shl_rate_read(lua_State *L, int index, sh_rate *out)
{
    bool is_given;
    *out = (sh_rate){0};
    lua_getfield(L, index, "rate");
    if (lua_istable(L, -1)) {
        int rate = lua_gettop(L);
        out->events = integer_field(L, rate, "events", &is_given);
        out->per_ms = (uint64_t)integer_field(L, rate, "per_ms", &is_given);
    }
    lua_pop(L, 1);
}

static void read_batch(lua_State *L, int index, sh_subscribe_opts *out)
{
    bool is_given;
    lua_getfield(L, index, "batch");
    if (lua_istable(L, -1)) {
        int batch = lua_gettop(L);
        out->batch.size = integer_field(L, batch, "size", &is_given);
        out->batch.timeout_ms = (uint64_t)integer_field(L, batch, "timeout_ms", &is_given);
    }
    lua_pop(L, 1);
}

int shl_subscribe_opts_read(lua_State *L, int index, sh_subscribe_opts *out)
{
    bool is_given;
    *out = (sh_subscribe_opts){0};
    read_target(L, index, out);
    out->max_demand = integer_field(L, index, "max_demand", &is_given);
    out->min_demand = integer_field(L, index, "min_demand", &out->has_min);
    out->cancel = shl_cancel_read(L, index);
    shl_rate_read(L, index, &out->rate);
    read_batch(L, index, out);
    out->partition = string_field(L, index, "partition");
    out->weight = (uint32_t)integer_field(L, index, "weight", &is_given);
    out->priority = (int32_t)integer_field(L, index, "priority", &is_given);
    bool has_most;
    lua_getfield(L, index, "ack");
    out->ack = lua_toboolean(L, -1);
    lua_pop(L, 1);
    out->max_deliver = (uint32_t)integer_field(L, index, "max_deliver", &has_most);
    lua_getfield(L, index, "current");
    out->current = shl_test_subscription(L, -1);
    lua_getfield(L, index, "reason");
    int status =
        out->current ? shl_to_reason(L, lua_gettop(L), &out->current_reason) : SH_OK;
    lua_pop(L, 2);
    lua_getfield(L, index, "extra");
    if (status == SH_OK)
        status = shl_payload_take(shl_context(L), L, &out->extra);
    else
        lua_pop(L, 1);
    if (status < 0)
        shl_subscribe_opts_drop(out);
    return status;
}

void shl_subscribe_opts_drop(sh_subscribe_opts *opts)
{
    sh_batch_unref(opts->extra);
    sh_error_unref(opts->current_reason);
}

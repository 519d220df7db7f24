/* SPDX-License-Identifier: MIT
 *
 * The `dispatcher` option as the core's ops and options. */
#include "options/dispatcher.h"

#include <string.h>

#include "options/combiner.h"
#include "options/field.h"
#include "options/lua_dispatcher.h"
#include "options/splitter.h"
#include "state/context.h"
#include "state/words.h"

static void *push_zeroed(lua_State *L, size_t size)
{
    return memset(lua_newuserdata(L, size), 0, size);
}

static void read_demand(lua_State *L, int index, sh_stage_opts *out)
{
    sh_demand_opts *opts = push_zeroed(L, sizeof *opts);
    lua_getfield(L, index, "max_demand");
    opts->max_demand = (int64_t)lua_tonumber(L, -1);
    lua_getfield(L, index, "shuffle_demands_on_first_dispatch");
    opts->shuffle_demands_on_first_dispatch = lua_toboolean(L, -1);
    lua_pop(L, 2);
    out->dispatcher = &sh_dispatcher_demand;
    out->dispatcher_opts = opts;
}

static void read_broadcast(lua_State *L, int index, sh_stage_opts *out)
{
    lua_getfield(L, index, "replay");
    int64_t n = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    out->dispatcher = &sh_dispatcher_broadcast;
    if (n == 0)
        return;
    sh_replay_opts *opts = push_zeroed(L, sizeof *opts);
    opts->n = n;
    out->dispatcher = &sh_dispatcher_replay;
    out->dispatcher_opts = opts;
}

/* The names as text, kept alive by the table at `texts`. */
static const char *const *push_names(lua_State *L, int texts, size_t n)
{
    const char **array = push_zeroed(L, n * sizeof *array);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, texts, (int)i + 1);
        array[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return array;
}

static bool is_word(lua_State *L, int index, const char *word)
{
    const char *text = lua_tostring(L, index);
    return text && strcmp(text, word) == 0;
}

static void read_partition(lua_State *L, int index, sh_stage_opts *out,
                           sh_splitter **splitter)
{
    sh_partition_opts *opts = push_zeroed(L, sizeof *opts);
    lua_getfield(L, index, "names");
    int names = lua_gettop(L);
    lua_getfield(L, index, "hash");
    lua_getfield(L, index, "texts");
    opts->n = lua_objlen(L, names);
    opts->names = push_names(L, names + 2, opts->n);
    lua_getfield(L, index, "groups");
    opts->groups = lua_toboolean(L, -1);
    lua_getfield(L, index, "limit");
    opts->limit = (int64_t)lua_tonumber(L, -1);
    opts->discards_abandoned = shl_boolean_field(L, index, "discard");
    lua_getfield(L, index, "overflow");
    lua_getfield(L, index, "keep");
    opts->discards = is_word(L, -2, "discard");
    opts->keep =
        is_word(L, -1, shl_keep_words[SH_KEEP_FIRST]) ? SH_KEEP_FIRST : SH_KEEP_LAST;
    lua_getfield(L, index, "combine");
    if (!lua_isnil(L, -1))
        shl_combine_read(L, lua_gettop(L), &out->combine);
    *splitter = opts->splitter = shl_splitter_new(L, names, names + 1);
    out->dispatcher = &sh_dispatcher_partition;
    out->dispatcher_opts = opts;
}

static void read_custom(lua_State *L, int index, sh_stage *self, sh_stage_opts *out)
{
    struct shl_lua_dispatcher_opts *opts = push_zeroed(L, sizeof *opts);
    lua_pushvalue(L, index);
    opts->ctx = shl_context(L);
    opts->stage = self;
    opts->L = L;
    opts->index = lua_gettop(L);
    out->dispatcher = &shl_lua_dispatcher;
    out->dispatcher_opts = opts;
}

void shl_dispatcher_read(lua_State *L, int index, sh_stage *self, sh_stage_opts *out,
                         sh_splitter **splitter)
{
    static const char *const kinds[] = {"demand", "broadcast", "partition",
                                        "custom", "fair",      NULL};
    *splitter = NULL;
    lua_getfield(L, index, "kind");
    switch (luaL_checkoption(L, -1, NULL, kinds)) {
    case 0:
        read_demand(L, index, out);
        break;
    case 1:
        read_broadcast(L, index, out);
        break;
    case 2:
        read_partition(L, index, out, splitter);
        break;
    case 3:
        read_custom(L, index, self, out);
        break;
    case 4:
        out->dispatcher = &sh_dispatcher_fair;
        break;
    }
}

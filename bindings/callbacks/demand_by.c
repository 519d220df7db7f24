/* SPDX-License-Identifier: MIT */
#include "callbacks/demand_by.h"

#include <stdlib.h>

#include "callbacks/callback.h"
#include "callbacks/sub_slot.h"

struct arguments {
    struct shl_stage *s;
    int64_t n;
    lua_State *L; /* `by` is on top of it, with this many entries */
    int n_entries;
};

/* The names of partitions are integers or other strings, as the option partitions gave them. */
static void push_partition(lua_State *L, const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    if (*end == '\0')
        lua_pushinteger(L, number);
    else
        lua_pushstring(L, name);
}

static void add_entry(void *data, sh_subscription *sub, int64_t demand,
                      const char *partition)
{
    struct arguments *args = data;
    lua_State *L = args->L;
    lua_createtable(L, 0, 3); /* by, entry */
    shl_sub_slot_push(L, args->s, sub, SH_ROLE_PRODUCER);
    lua_setfield(L, -2, "from");
    lua_pushnumber(L, (lua_Number)demand);
    lua_setfield(L, -2, "demand");
    if (partition) {
        push_partition(L, partition);
        lua_setfield(L, -2, "partition");
    }
    lua_rawseti(L, -2, ++args->n_entries); /* by */
}

static int push_arguments(lua_State *L)
{
    struct arguments *args = lua_touserdata(L, 1);
    lua_pushnumber(L, (lua_Number)args->n);
    lua_newtable(L);
    args->L = L;
    sh_stage_each_demand(args->s->self, add_entry, args);
    lua_xmove(L, args->s->co, 2);
    return 0;
}

int shl_demand_by(struct shl_stage *s, int64_t n, sh_result *r)
{
    struct arguments args = {.s = s, .n = n};
    return shl_callback_call(s, SHL_DEMAND, push_arguments, &args, r);
}

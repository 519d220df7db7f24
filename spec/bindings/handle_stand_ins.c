/* SPDX-License-Identifier: MIT */
#include "handle_stand_ins.h"

#include <lauxlib.h>

#include "state/handle.h"

enum { N_HANDLES = 8 };

struct sh_stage {
    int refs;
};

struct sh_subscription {
    int refs;
};

static struct sh_stage stages[N_HANDLES];
static struct sh_subscription subscriptions[N_HANDLES];

sh_stage *sh_stage_ref(sh_stage *stage)
{
    stage->refs++;
    return stage;
}

void sh_stage_unref(sh_stage *stage)
{
    stage->refs--;
}

sh_subscription *sh_subscription_ref(sh_subscription *sub)
{
    sub->refs++;
    return sub;
}

void sh_subscription_unref(sh_subscription *sub)
{
    sub->refs--;
}

static void *test_box(lua_State *L, int index, const char *name)
{
    void **box = lua_touserdata(L, index);
    if (!box || lua_islightuserdata(L, index) || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? *box : NULL;
}

static int collect_stage(lua_State *L)
{
    sh_stage *stage = test_box(L, 1, "stagehost.stage");
    if (stage)
        sh_stage_unref(stage);
    return 0;
}

static int collect_subscription(lua_State *L)
{
    sh_subscription *sub = test_box(L, 1, "stagehost.subscription");
    if (sub)
        sh_subscription_unref(sub);
    return 0;
}

static void **push_box(lua_State *L, const char *name)
{
    void **box = lua_newuserdata(L, sizeof *box);
    *box = NULL;
    luaL_getmetatable(L, name);
    lua_setmetatable(L, -2);
    return box;
}

void shl_push_stage(lua_State *L, sh_stage *stage)
{
    void **box = push_box(L, "stagehost.stage");
    *box = sh_stage_ref(stage);
}

sh_stage *shl_test_stage(lua_State *L, int index)
{
    return test_box(L, index, "stagehost.stage");
}

void shl_push_subscription(lua_State *L, sh_subscription *sub)
{
    void **box = push_box(L, "stagehost.subscription");
    *box = sh_subscription_ref(sub);
}

sh_subscription *shl_test_subscription(lua_State *L, int index)
{
    return test_box(L, index, "stagehost.subscription");
}

static int global_stage(lua_State *L)
{
    shl_push_stage(L, &stages[luaL_checkinteger(L, 1) % N_HANDLES]);
    return 1;
}

static int global_subscription(lua_State *L)
{
    shl_push_subscription(L, &subscriptions[luaL_checkinteger(L, 1) % N_HANDLES]);
    return 1;
}

/* "stage 3": which handle it is, in any state. */
static int global_handle_name(lua_State *L)
{
    sh_stage *stage = shl_test_stage(L, 1);
    sh_subscription *sub = shl_test_subscription(L, 1);
    if (stage)
        lua_pushfstring(L, "stage %d", (int)(stage - stages));
    else if (sub)
        lua_pushfstring(L, "subscription %d", (int)(sub - subscriptions));
    else
        lua_pushnil(L);
    return 1;
}

static void register_class(lua_State *L, const char *name, lua_CFunction collect)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

void open_handles(lua_State *L)
{
    register_class(L, "stagehost.stage", collect_stage);
    register_class(L, "stagehost.subscription", collect_subscription);
    lua_register(L, "stage", global_stage);
    lua_register(L, "subscription", global_subscription);
    lua_register(L, "handle_name", global_handle_name);
}

int count_handle_refs(lua_State *L)
{
    int refs = 0;
    for (int i = 0; i < N_HANDLES; i++)
        refs += stages[i].refs + subscriptions[i].refs;
    lua_pushinteger(L, refs);
    return 1;
}

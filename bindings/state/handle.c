/* SPDX-License-Identifier: MIT
 *
 * Handles. A handle is a box with a counted reference to an object of the core. There is
 * one box per object and Lua state, found through a table with weak values, so that == and
 * table keys compare identity. */
#include "state/handle.h"
#include "state/words.h"

static const char cache_key; /* its address is the weak table's key in the registry */

struct box {
    struct shl_object base;
    /* NULL once finalised, which other finalizers, and scripts that call __gc, can see. */
    void *object;
};

/* -- boxes ----------------------------------------------------------------------------- */

static void make_cache(lua_State *L)
{
    lua_newtable(L); /* cache */
    lua_newtable(L); /* cache, metatable */
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2); /* cache */
    lua_pushlightuserdata(L, (void *)&cache_key);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

static void push_cache(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&cache_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        make_cache(L);
    }
}

/* Pushes the box of `object`. Returns it if it is new: the caller puts a reference in. */
static struct box *push_box(lua_State *L, const struct shl_type *type, void *object)
{
    luaL_checkstack(L, 8, "handle");
    push_cache(L); /* cache */
    lua_pushlightuserdata(L, object);
    lua_rawget(L, -2); /* cache, box or nil */
    struct box *box = shl_type_test(L, -1, type);
    bool is_new = !box || !box->object;
    if (is_new) {
        lua_pop(L, 1);
        box = shl_type_new(L, type, sizeof *box); /* cache, box */
        lua_pushlightuserdata(L, object);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_remove(L, -2); /* box */
    return is_new ? box : NULL;
}

/* A box outside the cache, for a reference that would be lost if pushing its handle raised. */
static void **push_holder(lua_State *L, const struct shl_type *type)
{
    struct box *box = shl_type_new(L, type, sizeof *box);
    return &box->object;
}

static void *check_box(lua_State *L, int index, const struct shl_type *type)
{
    struct box *box = shl_type_check(L, index, type);
    luaL_argcheck(L, box->object, index, "the handle is finalised");
    return box->object;
}

static void *test_box(lua_State *L, int index, const struct shl_type *type)
{
    struct box *box = shl_type_test(L, index, type);
    return box ? box->object : NULL;
}

/* -- stages ---------------------------------------------------------------------------- */

void shl_push_stage(lua_State *L, sh_stage *stage)
{
    struct box *box = push_box(L, &shl_stage_type, stage);
    if (box)
        box->object = sh_stage_ref(stage);
}

void **shl_push_stage_holder(lua_State *L)
{
    return push_holder(L, &shl_stage_type);
}

sh_stage *shl_check_stage(lua_State *L, int index)
{
    return check_box(L, index, &shl_stage_type);
}

sh_stage *shl_test_stage(lua_State *L, int index)
{
    return test_box(L, index, &shl_stage_type);
}

static int gc_stage(lua_State *L)
{
    struct box *box = shl_type_test(L, 1, &shl_stage_type);
    if (box) {
        sh_stage_unref(box->object);
        box->object = NULL;
    }
    return 0;
}

static int stage_tostring(lua_State *L)
{
    lua_pushfstring(L, "stage<%s>", sh_stage_name(shl_check_stage(L, 1)));
    return 1;
}

/* The name, or nil for a stage without one: a real name never starts with '#'. */
static int stage_name(lua_State *L)
{
    const char *name = sh_stage_name(shl_check_stage(L, 1));
    if (name[0] == '#')
        lua_pushnil(L);
    else
        lua_pushstring(L, name);
    return 1;
}

static int stage_id(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sh_stage_id(shl_check_stage(L, 1)));
    return 1;
}

static int stage_worker(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)sh_stage_worker_index(shl_check_stage(L, 1)));
    return 1;
}

static int stage_kind(lua_State *L)
{
    lua_pushstring(L, shl_kind_words[sh_stage_kind(shl_check_stage(L, 1))]);
    return 1;
}

static const luaL_Reg stage_metamethods[] = {
    {"__gc", gc_stage},
    {"__tostring", stage_tostring},
    {NULL, NULL},
};

static const luaL_Reg stage_fields[] = {
    {"name", stage_name}, {"id", stage_id}, {"worker", stage_worker},
    {"kind", stage_kind}, {NULL, NULL},
};

const struct shl_type shl_stage_type = {
    .name = "stagehost.stage",
    .noun = "a stage handle",
    .metamethods = stage_metamethods,
    .fields = stage_fields,
};

/* -- subscriptions --------------------------------------------------------------------- */

void shl_push_subscription(lua_State *L, sh_subscription *sub)
{
    struct box *box = push_box(L, &shl_subscription_type, sub);
    if (box)
        box->object = sh_subscription_ref(sub);
}

void **shl_push_subscription_holder(lua_State *L)
{
    return push_holder(L, &shl_subscription_type);
}

sh_subscription *shl_check_subscription(lua_State *L, int index)
{
    return check_box(L, index, &shl_subscription_type);
}

sh_subscription *shl_test_subscription(lua_State *L, int index)
{
    return test_box(L, index, &shl_subscription_type);
}

static int gc_subscription(lua_State *L)
{
    struct box *box = shl_type_test(L, 1, &shl_subscription_type);
    if (box) {
        sh_subscription_unref(box->object);
        box->object = NULL;
    }
    return 0;
}

/* NULL: the producer of a subscription that was made with an unknown name. */
static const char *label(const sh_stage *stage)
{
    return stage ? sh_stage_name(stage) : "unknown";
}

static int subscription_tostring(lua_State *L)
{
    const sh_subscription *sub = shl_check_subscription(L, 1);
    lua_pushfstring(L, "subscription<%s > %s>", label(sh_subscription_producer(sub)),
                    label(sh_subscription_consumer(sub)));
    return 1;
}

static int push_side(lua_State *L, sh_stage *stage)
{
    if (stage)
        shl_push_stage(L, stage);
    else
        lua_pushnil(L);
    return 1;
}

static int subscription_consumer(lua_State *L)
{
    return push_side(L, sh_subscription_consumer(shl_check_subscription(L, 1)));
}

static int subscription_producer(lua_State *L)
{
    return push_side(L, sh_subscription_producer(shl_check_subscription(L, 1)));
}

static int subscription_id(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sh_subscription_id(shl_check_subscription(L, 1)));
    return 1;
}

static const luaL_Reg subscription_metamethods[] = {
    {"__gc", gc_subscription},
    {"__tostring", subscription_tostring},
    {NULL, NULL},
};

static const luaL_Reg subscription_fields[] = {
    {"consumer", subscription_consumer},
    {"producer", subscription_producer},
    {"id", subscription_id},
    {NULL, NULL},
};

const struct shl_type shl_subscription_type = {
    .name = "stagehost.subscription",
    .noun = "a subscription",
    .metamethods = subscription_metamethods,
    .fields = subscription_fields,
};

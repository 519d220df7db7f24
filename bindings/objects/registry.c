/* SPDX-License-Identifier: MIT
 *
 * Finding stages: names and groups. */
#include "objects/registry.h"

#include <string.h>

#include "callbacks/wait.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/lua_stage.h"
#include "state/number.h"
#include "state/raise.h"
#include "state/type.h"

static sh_host *get_host(lua_State *L)
{
    return sh_worker_host(shl_context(L)->worker);
}

/* -- blocks and references from the core, also released if an error is raised ---------- */

struct block {
    struct shl_object base;
    void *memory;
    size_t n_stages; /* references in it */
};

static void block_release(struct block *block)
{
    sh_stage **stages = block->memory;
    for (size_t i = 0; i < block->n_stages; i++)
        sh_stage_unref(stages[i]);
    sh_free(block->memory);
    block->memory = NULL;
    block->n_stages = 0;
}

static const struct shl_type block_type;

static int gc_block(lua_State *L)
{
    struct block *block = shl_type_test(L, 1, &block_type);
    if (block)
        block_release(block);
    return 0;
}

static const luaL_Reg block_metamethods[] = {{"__gc", gc_block}, {NULL, NULL}};

static const struct shl_type block_type = {
    .name = "stagehost.block",
    .noun = "a block of memory",
    .metamethods = block_metamethods,
};

static struct block *push_block(lua_State *L)
{
    return shl_type_new(L, &block_type, sizeof(struct block));
}

/* -- names ----------------------------------------------------------------------------- */

/* names() -> sorted list */
static int registry_names(lua_State *L)
{
    struct block *block = push_block(L);
    size_t n;
    char **names = sh_names(get_host(L), &n);
    block->memory = names;
    if (!names)
        return luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    block_release(block);
    return 1;
}

static int convert_stage(lua_State *L, int status, sh_batch value, const sh_error *error)
{
    if (status < 0)
        return shl_return_failure(L, status, error);
    void **holder = shl_push_stage_holder(L);
    *holder = sh_stage_of_reply(value);
    shl_push_stage(L, *holder);
    return 1;
}

/* await_name(name, timeout_ms) -> stage | nil, message, reason */
static int registry_await_name(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    uint64_t timeout_ms = shl_check_limit(L, 2);
    sh_from from = shl_wait_begin(L);
    int status = sh_await_name(shl_context(L)->worker, name, timeout_ms, from);
    if (status < 0)
        return shl_raise(L, "await_name", status, NULL);
    return shl_wait(L, from, convert_stage);
}

/* -- groups ---------------------------------------------------------------------------- */

static const char *check_group(lua_State *L)
{
    size_t len;
    const char *group = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && strlen(group) == len, 1,
                  "the name of a group must not be empty nor contain a zero byte");
    return group;
}

static sh_stage *check_current(lua_State *L, const char *what)
{
    sh_stage *self = shl_current_stage(shl_context(L));
    if (!self)
        luaL_error(L, "%s: no stage's callback is running (is it a callback of luv?)",
                   what);
    return self;
}

/* enter(group) */
static int registry_enter(lua_State *L)
{
    const char *group = check_group(L);
    sh_stage *self = check_current(L, "enter");
    int status = sh_group_enter(shl_context(L)->worker, self, group);
    return status < 0 ? shl_raise(L, "enter", status, NULL) : 0;
}

/* leave(group) -> whether the stage was in the group */
static int registry_leave(lua_State *L)
{
    const char *group = check_group(L);
    sh_stage *self = check_current(L, "leave");
    int status = sh_group_leave(shl_context(L)->worker, self, group);
    lua_pushboolean(L, status == SH_OK);
    return 1;
}

/* members(group) -> list of stages */
static int registry_members(lua_State *L)
{
    const char *group = check_group(L);
    struct block *block = push_block(L);
    sh_stage **members;
    int status = sh_group_members(get_host(L), group, &members, &block->n_stages);
    block->memory = members;
    if (status < 0)
        return shl_raise(L, "members", status, NULL);
    lua_createtable(L, (int)block->n_stages, 0);
    for (size_t i = 0; i < block->n_stages; i++) {
        shl_push_stage(L, members[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    block_release(block);
    return 1;
}

const luaL_Reg shl_registry_functions[] = {
    {"names", registry_names},     {"await_name", registry_await_name},
    {"enter", registry_enter},     {"leave", registry_leave},
    {"members", registry_members}, {NULL, NULL},
};

/* SPDX-License-Identifier: MIT
 *
 * A worker's Lua state: made by the worker's open hook, closed by its close hook.
 *
 * Slots. C code that keeps a Lua value alive holds its index in one table, the only value
 * on the stack of a thread that never runs code (ctx->store): reading and writing a slot is
 * rawgeti/rawseti at a fixed place, whatever runs at the time, and neither allocates nor
 * raises. Free slots hold false, so that the table's array part never shrinks. */
#include "state/context.h"

#include <assert.h>
#include <lualib.h>
#include <string.h>

#include "callbacks/callback.h"
#include "events/transfer.h"
#include "state/embed.h"
#include "state/guard.h"
#include "state/loop.h"
#include "state/print.h"

enum { FIRST_SLOTS = 64 };

static const char context_key; /* its address is the context's key in the registry */

/* -- slots ----------------------------------------------------------------------------- */

static int fill_slots(lua_State *L)
{
    const struct shl_context *ctx = lua_touserdata(L, 1);
    uint32_t n = ctx->n_slots ? ctx->n_slots * 2 : FIRST_SLOTS;
    lua_pushvalue(ctx->store, 1);
    lua_xmove(ctx->store, L, 1);
    for (uint32_t i = ctx->n_slots + 1; i <= n; i++) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, (int)i);
    }
    return 0;
}

static bool grow_slots(struct shl_context *ctx)
{
    uint32_t n = ctx->n_slots ? ctx->n_slots * 2 : FIRST_SLOTS;
    uint32_t *free_slots = sh_realloc(ctx->free_slots, n * sizeof *free_slots);
    if (!free_slots)
        return false;
    ctx->free_slots = free_slots;
    if (shl_protect(ctx, fill_slots, ctx, NULL) < 0)
        return false;
    for (uint32_t i = n; i > ctx->n_slots; i--)
        ctx->free_slots[ctx->n_free_slots++] = i;
    ctx->n_slots = n;
    return true;
}

uint32_t shl_slot_reserve(struct shl_context *ctx)
{
    if (ctx->n_free_slots == 0 && !grow_slots(ctx))
        return 0;
    return ctx->free_slots[--ctx->n_free_slots];
}

void shl_slot_fill(struct shl_context *ctx, lua_State *L, uint32_t slot)
{
    lua_xmove(L, ctx->store, 1);
    lua_rawseti(ctx->store, 1, (int)slot);
}

void shl_slot_unreserve(struct shl_context *ctx, uint32_t slot)
{
    ctx->free_slots[ctx->n_free_slots++] = slot;
}

uint32_t shl_slot_try(struct shl_context *ctx, lua_State *L)
{
    uint32_t slot = shl_slot_reserve(ctx);
    if (slot)
        shl_slot_fill(ctx, L, slot);
    else
        lua_pop(L, 1);
    return slot;
}

uint32_t shl_slot_take(struct shl_context *ctx, lua_State *L)
{
    uint32_t slot = shl_slot_try(ctx, L);
    if (slot == 0)
        luaL_error(L, "not enough memory");
    return slot;
}

void shl_slot_push(struct shl_context *ctx, lua_State *L, uint32_t slot)
{
    lua_rawgeti(ctx->store, 1, (int)slot);
    lua_xmove(ctx->store, L, 1);
}

void shl_slot_free(struct shl_context *ctx, uint32_t slot)
{
    if (slot == 0)
        return;
    lua_pushboolean(ctx->store, 0);
    lua_rawseti(ctx->store, 1, (int)slot);
    shl_slot_unreserve(ctx, slot);
}

void shl_helper_push(struct shl_context *ctx, lua_State *L, enum shl_helper helper)
{
    shl_slot_push(ctx, L, ctx->helpers[helper]);
}

/* -- finding it ------------------------------------------------------------------------ */

struct shl_context *shl_context(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&context_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    struct shl_context *ctx = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return ctx;
}

struct shl_context *shl_worker_context(sh_worker *worker)
{
    return *sh_worker_slot(worker);
}

/* -- modules --------------------------------------------------------------------------- */

/* A searcher of package.loaders: the files of lua/ that are part of the library. */
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    size_t len;
    const char *text = shl_embedded_module(name, &len);
    if (!text) {
        lua_pushfstring(L, "\n\tno embedded module '%s'", name);
        return 1;
    }
    luaL_gsub(L, name, ".", "/"); /* ..., path */
    bool is_package = strcmp(name, "stagehost") == 0;
    lua_pushfstring(L, "@%s%s.lua", lua_tostring(L, -1), is_package ? "/init" : "");
    if (luaL_loadbuffer(L, text, len, lua_tostring(L, -1)) != 0)
        return lua_error(L);
    return 1;
}

static void add_searcher(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders"); /* package, loaders */
    for (int i = (int)lua_objlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search_embedded);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* `;;` stands for Lua's own path, as in LUA_PATH. */
static void set_path(lua_State *L, const char *field, const char *path)
{
    if (!path)
        return;
    lua_getglobal(L, "package");
    lua_getfield(L, -1, field); /* package, old */
    const char *marked = luaL_gsub(L, path, ";;", ";\1;");
    luaL_gsub(L, marked, "\1", lua_tostring(L, -2)); /* package, old, marked, new */
    lua_setfield(L, -4, field);
    lua_pop(L, 3);
}

/* -l: the module becomes the global of its last name. */
static void require_library(lua_State *L, const char *name)
{
    const char *dot = strrchr(name, '.');
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    lua_setglobal(L, dot ? dot + 1 : name);
}

/* Keeps the value on top as a helper; pops it. */
static void keep_helper(struct shl_context *ctx, lua_State *L, enum shl_helper helper)
{
    ctx->helpers[helper] = shl_slot_take(ctx, L);
}

static void require_helper(struct shl_context *ctx, lua_State *L, const char *module,
                           const char *field, enum shl_helper helper)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, field);
    keep_helper(ctx, L, helper);
    lua_pop(L, 1);
}

/* lua/stagehost/nest.lua, given the wait token, makes coroutines pass engine waits on. */
static void open_nesting(struct shl_context *ctx, lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.nest");
    lua_call(L, 1, 1);
    shl_push_wait_token(L);
    shl_guard_push_check(ctx, L);
    lua_call(L, 2, 0);
}

/* -- life ------------------------------------------------------------------------------ */

static int open_state(lua_State *L)
{
    struct shl_context *ctx = lua_touserdata(L, 1);
    lua_pushlightuserdata(L, (void *)&context_key);
    lua_pushlightuserdata(L, ctx);
    lua_rawset(L, LUA_REGISTRYINDEX);
    luaL_openlibs(L);
    shl_print_open(L);
    shl_guard_open(ctx, L);
    lua_settop(L, 0);
    add_searcher(L);
    set_path(L, "path", ctx->opts->path);
    set_path(L, "cpath", ctx->opts->cpath);
    lua_pushcfunction(L, shl_traceback);
    keep_helper(ctx, L, SHL_HELPER_TRACEBACK);
    require_helper(ctx, L, "stagehost.batch", "copy", SHL_HELPER_COPY);
    require_helper(ctx, L, "stagehost.batch", "int64", SHL_HELPER_INT64);
    require_helper(ctx, L, "stagehost.batch", "halves", SHL_HELPER_HALVES);
    require_helper(ctx, L, "string.buffer", "encode", SHL_HELPER_ENCODE);
    require_helper(ctx, L, "string.buffer", "decode", SHL_HELPER_DECODE);
    open_nesting(ctx, L);
    shl_error_open(L);
    shl_value_open(L);
    shl_wait_open(L);
    shl_result_open(ctx, L);
    shl_loop_open(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_stagehost_core);
    lua_setfield(L, -2, "stagehost.core");
    lua_pop(L, 2);
    if (shl_transfer_open(L) < 0)
        luaL_error(L, "not enough memory");
    return 0;
}

static int open_libraries(lua_State *L)
{
    const struct shl_context *ctx = lua_touserdata(L, 1);
    for (size_t i = 0; i < ctx->opts->n_libraries; i++)
        require_library(L, ctx->opts->libraries[i]);
    return 0;
}

/* The store is there before anything else, because slots are; it stays on the registry's
 * side. */
static int open_store(lua_State *L)
{
    struct shl_context *ctx = lua_touserdata(L, 1);
    ctx->store = lua_newthread(L);
    lua_newtable(L);
    lua_xmove(L, ctx->store, 1);
    lua_pushlightuserdata(L, &ctx->store);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
    return 0;
}

struct shl_context *shl_context_new(sh_worker *worker, const sh_lua_opts *opts,
                                    sh_error **error)
{
    struct shl_context *ctx = sh_malloc(sizeof *ctx);
    if (!ctx)
        return NULL;
    *ctx = (struct shl_context){.worker = worker, .opts = opts, .L = luaL_newstate()};
    if (!ctx->L)
        goto fail;
    *sh_worker_slot(worker) = ctx;
    if (shl_protect(ctx, open_store, ctx, error) < 0 ||
        shl_protect(ctx, open_state, ctx, error) < 0 ||
        shl_protect(ctx, open_libraries, ctx, error) < 0)
        goto fail;
    assert(lua_gettop(ctx->L) == 0);
    return ctx;
fail:
    shl_context_free(ctx);
    *sh_worker_slot(worker) = NULL;
    return NULL;
}

bool shl_context_free(struct shl_context *ctx)
{
    if (ctx->L && !shl_loop_close(ctx)) {
        ctx->is_abandoned = true;
        return false;
    }
    if (ctx->L)
        lua_close(ctx->L);
    shl_lists_free(ctx);
    sh_free(ctx->free_slots);
    sh_free(ctx);
    return true;
}

/* SPDX-License-Identifier: MIT
 *
 * luaopen of "stagehost.core", the C half of the library. Scripts require "stagehost",
 * whose facade (lua/stagehost/init.lua) uses this module; lua/stagehost/_meta.lua describes
 * it. */
#include "doors/module.h"

#include "callbacks/exits.h"
#include "callbacks/from.h"
#include "callbacks/request.h"
#include "callbacks/verdict.h"
#include "callbacks/wait.h"
#include "events/strings.h"
#include "objects/board.h"
#include "objects/registry.h"
#include "objects/runtime.h"
#include "objects/stage_methods.h"
#include "objects/stage_start.h"
#include "objects/subscription.h"
#include "objects/text.h"
#include "objects/timer.h"
#include "options/constants.h"
#include "options/hash.h"
#include "state/chunk.h"
#include "state/handle.h"
#include "state/type.h"

static void add_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

/* Sets field `name` of the table on top to the methods of `type`. */
static void add_methods(lua_State *L, const char *name, const struct shl_type *type)
{
    shl_type_open(L, type);
    lua_setfield(L, -2, name);
}

int luaopen_stagehost_core(lua_State *L)
{
    lua_newtable(L);
    add_functions(L, shl_stage_start_functions);
    add_functions(L, shl_stage_end_functions);
    add_functions(L, shl_subscription_functions);
    add_functions(L, shl_wait_functions);
    add_functions(L, shl_exits_functions);
    add_functions(L, shl_request_functions);
    add_functions(L, shl_registry_functions);
    add_functions(L, shl_verdict_functions);
    add_functions(L, shl_timer_functions);
    add_functions(L, shl_runtime_functions);
    add_functions(L, shl_board_functions);
    add_functions(L, shl_hash_functions);
    /* Methods by type: the facade adds the methods that are written in Lua. */
    add_methods(L, "stage", &shl_stage_type);
    add_methods(L, "subscription", &shl_subscription_type);
    add_methods(L, "call", &shl_call_type);
    add_methods(L, "timer", &shl_timer_type);
    add_methods(L, "strings", &shl_strings_type);
    lua_pushcfunction(L, shl_strings_pack);
    lua_setfield(L, -2, "pack");
    lua_pushcfunction(L, shl_chunk_load_dump);
    lua_setfield(L, -2, "load_dump");
    shl_constants_push(L);
    lua_setfield(L, -2, "constants");
    lua_pushliteral(L, SH_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}

static void open_handle(lua_State *L, const struct shl_type *type, const luaL_Reg *methods)
{
    shl_type_open(L, type);
    add_functions(L, methods);
    lua_pop(L, 1);
}

void shl_module_open(lua_State *L)
{
    open_handle(L, &shl_stage_type, shl_stage_methods);
    open_handle(L, &shl_subscription_type, shl_subscription_methods);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_stagehost_core);
    lua_setfield(L, -2, "stagehost.core");
    lua_pushcfunction(L, luaopen_stagehost_core_text);
    lua_setfield(L, -2, "stagehost.core.text");
    lua_pop(L, 2);
}

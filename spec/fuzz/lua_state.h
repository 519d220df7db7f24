/* SPDX-License-Identifier: MIT
 *
 * A Lua state of stagehost for a fuzzer: each fuzzer is one file, which includes this once. */
#ifndef FUZZ_LUA_STATE_H
#define FUZZ_LUA_STATE_H

#include <lauxlib.h>
#include <stagehost_lua.h>
#include <stdlib.h>

static sh_worker_hooks *hooks; /* and the host: until the program ends */
static sh_host *host;

static void close_host(void)
{
    sh_host_free(host);
    sh_lua_hooks_free(hooks);
}

/* The state, with the result of `script` at index 1. */
static lua_State *fuzz_make_state(const char *script)
{
    hooks = sh_lua_hooks_new(NULL);
    sh_host_opts opts = {.workers = 1, .hooks = *hooks};
    if (sh_host_new(&opts, &host) < 0)
        abort();
    atexit(close_host);
    lua_State *L = sh_lua_state(sh_host_worker0(host));
    if (luaL_loadstring(L, script) != 0 || lua_pcall(L, 0, 1, 0) != 0)
        abort();
    return L;
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * Lua runs out of memory at every allocation in turn, once, while a pipeline runs. Whatever a
 * callback was doing, at worst its stage ends; the process goes on and nothing leaks. LuaJIT's
 * compiler stays out: when it runs out of memory itself, LuaJIT sometimes jumps into the void. */
#include <lauxlib.h>
#include <stagehost_lua.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* -- an allocator that fails once -------------------------------------------------------- */

struct allocator {
    lua_Alloc plain;
    void *data;
    long left; /* allocations until then; negative: it has failed, or is switched off */
};

static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    struct allocator *allocator = data;
    if (new_size > old_size && allocator->left >= 0 && allocator->left-- == 0)
        return NULL;
    return allocator->plain(allocator->data, block, old_size, new_size);
}

/* -- the pipeline ------------------------------------------------------------------------ */

static const char script_text[] =
    "jit.off()\n"
    "local stagehost = require 'stagehost'\n"
    "local Source = stagehost.producer {\n"
    "    init = function(self) self.n = 0 end,\n"
    "    handle_demand = function(self, demand)\n"
    "        local events = {}\n"
    "        for i = 1, demand do\n"
    "            events[i] = { id = self.n + i }\n"
    "        end\n"
    "        self.n = self.n + demand\n"
    "        return self.n > 100 and stagehost.stop('normal', events) or events\n"
    "    end,\n"
    "    handle_call = function(_, request, from)\n"
    "        if request == 'later' then from:reply(request) return stagehost.noreply end\n"
    "        return { request }, { 'event' }\n"
    "    end,\n"
    "    handle_cast = function() error({ code = 1 }) end }\n"
    "local Middle = stagehost.producer_consumer {\n"
    "    handle_events = function(_, events) stagehost.sleep(0) return { unpack(events) } "
    "end }\n"
    "local Sink = stagehost.consumer {\n"
    "    handle_subscribe = function() end,\n"
    "    handle_cancel = function() end,\n"
    "    handle_events = function() end,\n"
    "    terminate = function() end }\n"
    "local s, m, k\n"
    "pcall(function()\n"
    "    s, m, k = stagehost.start(Source), stagehost.start(Middle), "
    "stagehost.start(Sink)\n"
    "    s:call('now') s:call('later')\n"
    "    m:subscribe { to = s, max_demand = 10 }\n"
    "    k:subscribe { to = m, max_demand = 7, cancel = 'temporary' }\n"
    "    coroutine.wrap(function() stagehost.await(function(wake) wake(1) end) end)()\n"
    "    stagehost.sleep(1)\n"
    "    s:cast({})\n"
    "end)\n"
    "pcall(function() k:stop(setmetatable({}, { __tostring = error })) end)\n";

static void start(sh_worker *worker, const char *text)
{
    sh_lua_script script = {.chunk = text, .len = strlen(text), .name = "=script"};
    CHECK_INT(sh_lua_start_script(worker, &script, NULL, NULL), SH_OK);
}

/* Whether an allocation was made to fail. */
static bool run_failing(long nth)
{
    sh_worker_hooks *hooks = sh_lua_hooks_new(NULL);
    sh_host_opts opts = {.workers = 1, .hooks = *hooks};
    sh_host *host;
    CHECK_INT(sh_host_new(&opts, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    start(worker, "require 'stagehost'"); /* opens the worker's state */
    sh_host_run(host);
    struct allocator allocator = {.left = nth};
    lua_State *L = sh_lua_state(worker);
    allocator.plain = lua_getallocf(L, &allocator.data);
    lua_setallocf(L, allocate, &allocator);
    start(worker, script_text);
    sh_host_drain(host, 200);
    sh_host_run(host);
    bool failed = allocator.left < 0;
    lua_setallocf(L, allocator.plain, allocator.data);
    sh_host_free(host);
    sh_lua_hooks_free(hooks);
    return failed;
}

int main(void)
{
    long nth = 0;
    while (run_failing(nth) && nth < 5000)
        nth += 2;
    CHECK(nth > 100);
    CHECK(nth < 5000);
    return test_end();
}

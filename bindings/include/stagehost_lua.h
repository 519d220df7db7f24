/* SPDX-License-Identifier: MIT
 *
 * stagehost_lua.h - stages whose callbacks are Lua: what a C program needs to load scripts into a
 * host. The worker's Lua state belongs to the worker's thread. */
#ifndef STAGEHOST_LUA_H
#define STAGEHOST_LUA_H

#include <lua.h>

#include "stagehost.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sh_lua_opts {
    /* package.path and package.cpath of every worker, in the form of LUA_PATH: `;;` stands for
     * Lua's own path. NULL: Lua's own. */
    const char *path, *cpath;
    /* Modules required before the first stage (-l), into globals if they return values. */
    const char *const *libraries;
    size_t n_libraries;
    /* Scripts, modules and load() of scripts may be bytecode, which LuaJIT does not verify. */
    bool allow_bytecode;
    bool gc_stress; /* a full collection after every callback: for tests */
} sh_lua_opts;

/* The worker hooks that give every worker a LuaJIT state: put them into sh_host_opts.hooks. The
 * opts are copied. NULL when out of memory. Free with sh_lua_hooks_free after the host. */
sh_worker_hooks *sh_lua_hooks_new(const sh_lua_opts *opts);
void sh_lua_hooks_free(sh_worker_hooks *hooks);
/* Whether a closed worker had to leave its Lua state behind, because a request that a script
 * made to libuv's thread pool did not come back (say, a read that blocks for ever). exit() would
 * wait for that thread too, so the program must end with _exit(). After sh_host_free(). */
bool sh_lua_hooks_are_stuck(const sh_worker_hooks *hooks);

/* Starts a script as a process on `worker`: it may call, sleep, subscribe and await at top level.
 * `chunk` is its text (or bytecode, where the hooks' opts allow it), `name` its name in error
 * messages ("@file.lua"); `args` becomes arg[1..], `arg0` arg[0]. Logs call it "#file.lua".
 * A syntax error: SH_EFAILED with *error, nothing started. The process ends with the script. */
typedef struct sh_lua_script {
    const char *chunk;
    size_t len;
    const char *name;
    const char *arg0;
    const char *const *args;
    size_t n_args;
} sh_lua_script;
int sh_lua_start_script(sh_worker *worker, const sh_lua_script *script, sh_stage **out,
                        sh_error **error);

/* For the watchdog of a process: find the place of Lua code that does not return (sh_busy). The
 * watchdog prepares, sends a signal to the thread (sh_host_interrupt) whose handler calls
 * sh_lua_interrupt, and waits for an answer. `leave`: the code is left as by an error that no
 * pcall catches. The answer comes from interpreted code only: compiled loops that do not
 * allocate, and C functions, never give one. */
void sh_lua_interrupt_prepare(bool leave);
void sh_lua_interrupt(void); /* on the thread that is interrupted; async-signal-safe */
bool sh_lua_interrupt_is_answered(void);
/* The traceback, to be given to free(). NULL: there is no answer, and there will be none. */
char *sh_lua_interrupt_answer(void);

/* The state of a worker that has one, or NULL. On the worker's thread. */
lua_State *sh_lua_state(sh_worker *worker);
/* Push or check a handle; checking another value raises a Lua error. On the worker's thread. */
void sh_lua_push_stage(lua_State *L, sh_stage *stage);
sh_stage *sh_lua_check_stage(lua_State *L, int index);
void sh_lua_push_subscription(lua_State *L, sh_subscription *sub);
sh_subscription *sh_lua_check_subscription(lua_State *L, int index);
/* Converts the value at `index` to a batch of one event, and back. */
int sh_lua_to_payload(lua_State *L, int index, sh_batch *out);
void sh_lua_push_payload(lua_State *L, sh_batch payload);
/* Converts the events of a batch from Lua to C values: *out is an owned batch for
 * sh_batch_values(), for a batch of C values another reference to it. A number is SH_INTEGER if it
 * is integral and within 2^53, else SH_NUMBER; a boxed int64_t is SH_INTEGER (and integers beyond
 * 2^53 become boxed ones in Lua); a table is SH_LIST if its keys are 1 .. n, else SH_MAP.
 * SH_EFAILED with *error: a value has no C equivalent. On the worker's thread. */
int sh_lua_to_values(sh_worker *worker, sh_batch batch, sh_batch *out, sh_error **error);

#ifdef __cplusplus
}
#endif
#endif

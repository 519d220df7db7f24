/* SPDX-License-Identifier: MIT
 *
 * What the files of bindings/ share: one context per worker (its Lua state and what hangs
 * off it), and the few doors between the rooms. Nothing here is seen outside bindings/. */
#ifndef SHL_CONTEXT_H
#define SHL_CONTEXT_H

#include <lauxlib.h>
#include <lua.h>

#include "stagehost_lua.h"

struct shl_stage; /* lua_stage.h */

/* Lua values that C code needs again and again, kept in slots. */
enum shl_helper {
    SHL_HELPER_TRACEBACK, /* message handler of shl_pcall                       */
    SHL_HELPER_COPY,      /* lua/stagehost/batch.lua: copy(to, at, list, first, n) */
    SHL_HELPER_INT64,     /* int64(high, low): a boxed integer                  */
    SHL_HELPER_HALVES,    /* halves(boxed): high, low, or nil                   */
    SHL_HELPER_ENCODE,    /* string.buffer: plain data as a string ...          */
    SHL_HELPER_DECODE,    /* ... and back                                       */
    SHL_HELPER_STOP,      /* metatable of what stagehost.stop() returns         */
    SHL_HELPER_NOREPLY,   /* stagehost.noreply                                  */
    SHL_HELPER_IGNORE,    /* stagehost.ignore                                   */
    SHL_HELPER_REDIRECT,  /* metatable of what stagehost.redirect() returns     */
    SHL_HELPER_LOOP,      /* closes what luv has open; slot 0: luv is not loaded  */
    SHL_N_HELPERS
};

/* The Lua side of a worker. Reached by sh_worker_slot(), or from C functions by
 * shl_context(). */
struct shl_context {
    sh_worker *worker;
    lua_State *L;     /* main state                                             */
    lua_State *store; /* a thread that never runs: its one value, the slots table */
    struct shl_stage *current; /* whose callback runs now; NULL between callbacks        */
    const char *still;         /* the function that runs now and must not wait, or NULL  */
    bool is_abandoned;         /* the host is gone: callbacks of luv are not run any more */
    const sh_lua_opts *opts;
    uint32_t *free_slots; /* stack of free indices of the slots table               */
    uint32_t n_free_slots, n_slots;
    struct shl_list *free_lists; /* recycled list heads (batch.c)                        */
    uintptr_t c_stack;  /* an address near the bottom of the thread's stack (guard.c) */
    lua_CFunction gsub; /* LuaJIT's own                                           */
    uint64_t next_ref;  /* of requests, sh_from.ref                               */
    uint32_t helpers[SHL_N_HELPERS]; /* slots                                            */
};

/* context.c ---------------------------------------------------------------------------- */
/* Makes ctx the context of the state that L belongs to. Raises when out of memory. */
void shl_context_bind(struct shl_context *ctx, lua_State *L);
/* The context of the state that L belongs to (main state or any coroutine). */
struct shl_context *shl_context(lua_State *L);
/* The context of a worker, NULL if it has none. */
struct shl_context *shl_worker_context(sh_worker *worker);

/* slot.c ------------------------------------------------------------------------------- */
/* Makes the table of slots and the thread that holds it. Raises when out of memory. */
void shl_slots_open(struct shl_context *ctx, lua_State *L);
/* Frees what is not in the Lua state, which is closed. */
void shl_slots_free(struct shl_context *ctx);
/* Slots keep Lua values alive for C: pops the value on top of L, returns its slot (never
 * 0). Raises when out of memory. */
uint32_t shl_slot_take(struct shl_context *ctx, lua_State *L);
/* The same outside of protected calls: 0 when out of memory. Pops in any case. */
uint32_t shl_slot_try(struct shl_context *ctx, lua_State *L);
/* A slot to be filled later, or given back unfilled; 0 when out of memory. */
uint32_t shl_slot_reserve(struct shl_context *ctx);
void shl_slot_fill(struct shl_context *ctx, lua_State *L,
                   uint32_t slot); /* pops the value */
void shl_slot_unreserve(struct shl_context *ctx, uint32_t slot);
void shl_slot_push(struct shl_context *ctx, lua_State *L, uint32_t slot);
void shl_slot_free(struct shl_context *ctx, uint32_t slot); /* 0 is allowed */
void shl_helper_push(struct shl_context *ctx, lua_State *L, enum shl_helper helper);

/* batch.c: Lua tables as lists of events ----------------------------------------------- */
/* A list of the table on top of L (popped), n events; owned batch. */
int shl_batch_take(struct shl_context *ctx, lua_State *L, uint32_t n, sh_batch *out);
/* Pushes the events as a table: the very table if the range is the whole list. C values are
 * converted. */
void shl_batch_push(struct shl_context *ctx, lua_State *L, sh_batch batch);
/* One value as a payload and back; nil is a value. */
int shl_payload_take(struct shl_context *ctx, lua_State *L, sh_batch *out); /* pops it */
void shl_payload_push(struct shl_context *ctx, lua_State *L, sh_batch payload);
/* Pushes the table that is this very batch, without raising. False: there is none, the events have
 * to be copied or converted. */
bool shl_batch_push_whole(lua_State *L, sh_batch batch);
/* A list of the table on top of the stage's empty or ready coroutine, where it stays: whoever gets
 * the batch takes it from there, if the stage runs nothing before. n > 0 events; owned batch. */
int shl_batch_leave(struct shl_stage *s, uint32_t n, sh_batch *out);
/* The coroutine is about to be used: moves the table that was left on it, if any, to a slot. */
void shl_batch_keep(struct shl_stage *s);
void shl_lists_free(struct shl_context *ctx); /* the recycled heads */

/* letter.c: the dead letters of a list's events; as sh_list_ops has it. */
sh_list *shl_letters(sh_worker *worker, const sh_batch *events, const sh_error *error,
                     const char *stage, uint32_t deliveries);

/* value.c: C values. Both raise; integers beyond 2^53 are boxed (int64_t cdata) in Lua. */
void shl_values_push(lua_State *L, sh_batch batch); /* pushes a list */
void shl_value_push(lua_State *L, const sh_value *value, sh_batch keep);
/* The events of the list at `index`, 1 .. n, as C values. */
int shl_values_take(lua_State *L, int index, uint32_t n, sh_batch *out);
void shl_value_open(lua_State *L);

/* handle.c: handles. One userdata per C object and state (weak cache), so == compares
 * identity. */
void shl_push_stage(lua_State *L, sh_stage *stage);
sh_stage *shl_check_stage(lua_State *L, int index);
sh_stage *shl_test_stage(lua_State *L, int index); /* NULL if it is none */
void shl_push_subscription(lua_State *L, sh_subscription *sub);
sh_subscription *shl_check_subscription(lua_State *L, int index);
sh_subscription *shl_test_subscription(lua_State *L, int index);
/* The object a callback gets as `from` of a call; answers with :reply(). */
void shl_push_from(lua_State *L, sh_from from);

/* error.c: reasons --------------------------------------------------------------------- */
void shl_error_open(lua_State *L);
/* NULL -> "normal", shutdown -> "shutdown" or { "shutdown", x }, custom -> its string or
 * table, raised and bad_return_value -> an error object (metatable "stagehost.error"). */
void shl_push_reason(lua_State *L, const sh_error *reason);
/* A reason given by a script (nil, string, table, error object) as an sh_error (NULL:
 * normal). */
int shl_to_reason(lua_State *L, int index, sh_error **out);
/* Error object for a callback that failed; traceback may be NULL. `L` has the error value
 * at index. */
sh_error *shl_error_raised(lua_State *L, int index, const char *stage, const char *callback,
                           const char *traceback);
/* Pushes the text of an error value of any type, also of one whose __tostring fails. */
void shl_push_error_text(lua_State *L, int index);
/* Pushes "stage<x>: handle_events: message". */
void shl_push_sentence(lua_State *L, const sh_error *error);
/* Pushes nil, message, reason: what expected failures return; the count, 3. */
int shl_return_failure(lua_State *L, int status, const sh_error *error);

/* wait.c: suspending the current stage ------------------------------------------------- */
/* Turns an answer into results on L; returns their count (at most 8). Owns nothing; may
 * raise. */
typedef int (*shl_convert)(lua_State *L, int status, sh_batch value, const sh_error *error);
/* A fresh sh_from of the current stage for a request that this callback will wait for.
 * Raises when there is no current stage, it is in a function that must not wait (selector,
 * hash, format_discarded, a dispatcher), or a C function that can't be left stands in
 * between (table.sort, string.gsub, require). */
sh_from shl_wait_begin(lua_State *L);
/* `return shl_wait(L, from, convert)`: suspends the stage until the answer to `from` is
 * there. */
int shl_wait(lua_State *L, sh_from from, shl_convert convert);

void shl_wait_open(lua_State *L);
void shl_push_wait_token(lua_State *L);
bool shl_is_wait_token(lua_State *L, int index);

/* call.c: the one gateway into Lua for everything but stage callbacks (those resume,
 * callback.c) -- */
/* pcall with traceback. Returns 0, or nonzero with an error string incl. traceback on top.
 */
int shl_pcall(lua_State *L, int nargs, int nresults);
/* pcall without one: the error value itself is on top. */
int shl_try(lua_State *L, int nargs, int nresults);
/* shl_pcall on ctx->L for a function that must not wait; `what` names it in the error of
 * one that does. */
int shl_pcall_still(struct shl_context *ctx, const char *what, int nargs, int nresults);
/* Runs C code that may raise: f finds `data` as a light userdata at index 1. Returns SH_OK,
 * or SH_EFAILED with *error. */
int shl_protect(struct shl_context *ctx, lua_CFunction f, void *data, sh_error **error);

/* The message handler of shl_pcall: error value -> string with traceback. */
int shl_traceback(lua_State *L);

/* Functions for the module "stagehost.core". */
int luaopen_stagehost_core(lua_State *L); /* module.c */
extern const luaL_Reg
    shl_wait_functions[]; /* sleep, and what lua/stagehost/await.lua stands on */
extern const luaL_Reg shl_result_functions[]; /* stop, and answers() -> noreply, ignore */

#endif

/* SPDX-License-Identifier: MIT
 *
 * The context that the files of bindings/ share: one per worker, with its Lua state. Nothing here
 * is visible outside bindings/. */
#ifndef SHL_CONTEXT_H
#define SHL_CONTEXT_H

#include <lauxlib.h>
#include <lua.h>

#include "stagehost_lua.h"
#include "state/guard.h"

struct shl_board;
struct shl_stage; /* callbacks/stage.h */

/* Lua values that C code needs again and again, kept in slots. */
enum shl_helper {
    SHL_HELPER_TRACEBACK, /* message handler of shl_pcall */
    SHL_HELPER_COPY,      /* lua/stagehost/engine/batch.lua: copy(to, at, list, first, n) */
    SHL_HELPER_FIND_NIL,  /* find_nil(list, n): the index of the first nil, or 0 */
    SHL_HELPER_INT64,     /* int64(high, low): a boxed integer */
    SHL_HELPER_HALVES,    /* halves(boxed): high, low, or nil */
    SHL_HELPER_MEASURE, /* measure(list, first, n): the length of all strings, place of others */
    SHL_HELPER_FILL,      /* fill(list, first, n, spans, bytes): copies strings */
    SHL_HELPER_STRINGS,   /* strings(spans, bytes, n): a list of strings */
    SHL_HELPER_ENCODE,    /* string.buffer: plain data as a string ... */
    SHL_HELPER_DECODE,    /* ... and back */
    SHL_HELPER_STOP,      /* metatable of the results of stagehost.stop() */
    SHL_HELPER_NOREPLY,   /* stagehost.noreply */
    SHL_HELPER_IGNORE,    /* stagehost.ignore */
    SHL_HELPER_FAILED,    /* what stagehost.failed returns */
    SHL_HELPER_REDIRECT,  /* metatable of the results of stagehost.redirect() */
    SHL_HELPER_OVERFLOW,  /* the text of the error of state/guard.c */
    SHL_HELPER_CALLBACKS, /* callbacks/start.c: the callbacks of a definition, in order */
    SHL_HELPER_PLACES,    /* state/interrupt.c: function -> place */
    SHL_HELPER_LOOP,      /* closes the open handles of luv; slot 0: luv is not loaded */
    SHL_N_HELPERS
};

/* What becomes of a stage whose callback is left: state/leave.h. */
enum shl_leave {
    SHL_STAY, /* it is not left */
    SHL_PARK, /* the callback never returns: the host is about to kill the stage */
    SHL_STOP, /* the stage ends by its own choice */
    SHL_FAIL, /* the stage fails with leave_error */
};

/* Functions of Lua's library that ours call (state/output.c). */
typedef enum shl_library {
    SHL_IO_WRITE,
    SHL_IO_FLUSH,
    SHL_FILE_WRITE,
    SHL_FILE_FLUSH,
    SHL_N_LIBRARY
} shl_library;

/* The Lua side of a worker. Reached by sh_worker_slot(), or from C functions by
 * shl_context(). */
struct shl_context {
    sh_worker *worker;
    lua_State *L;     /* main state */
    lua_State *store; /* a thread that never runs: its one value, the slots table */
    struct shl_stage *current; /* its callback runs now; NULL between callbacks */
    const char *still;         /* the function that runs now and must not wait, or NULL */
    bool is_abandoned;         /* the host is gone: luv's callbacks do not run any more */
    enum shl_leave leaving;    /* what runs now is being left */
    sh_error *leave_error;     /* of the last SHL_FAIL */
    const sh_lua_opts *opts;
    struct shl_board *board; /* of the host (objects/board.h) */
    uint32_t *free_slots;    /* stack of free indices of the slots table */
    uint32_t n_free_slots, n_slots;
    struct shl_list *free_lists; /* recycled list heads (events/batch.c) */
    struct shl_guard guard;
    lua_CFunction library[SHL_N_LIBRARY];
    uint64_t next_ref;               /* of requests, sh_from.ref */
    uint32_t helpers[SHL_N_HELPERS]; /* slots */
};

/* Makes ctx the context of the state that L belongs to. Raises when out of memory. */
void shl_context_bind(struct shl_context *ctx, lua_State *L);
/* The context of the state that L belongs to (main state or any coroutine). */
struct shl_context *shl_context(lua_State *L);
/* The context of a worker, NULL if it has none. */
struct shl_context *shl_worker_context(sh_worker *worker);

#endif

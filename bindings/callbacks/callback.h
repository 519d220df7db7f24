/* SPDX-License-Identifier: MIT
 *
 * How the callbacks of a Lua stage run. Each stage has a coroutine that is empty between
 * callbacks, or *ready*: as long as only handle_demand and handle_events run, they, `self` and
 * `from` stay at its bottom, and what was returned may lie on them (batch.c). To run one, its function and arguments are put on it and it is resumed:
 *
 *   it returns   -> the values on it become the sh_result (result.c); it is empty again
 *   it waits     -> it yields the wait token (wait.c); the stage answers SH_WAIT, and is
 *                   resumed by handle_reply; then as above, through sh_stage_complete
 *   it raises    -> the coroutine is spent: error with traceback, SH_EFAILED; what runs
 * next (terminate) gets a new one
 *
 * The hot path (events in, events out) touches no table, allocates
 * nothing, and calls nothing that can raise. All else that may raise goes through
 * shl_protect. */
#ifndef SHL_CALLBACK_H
#define SHL_CALLBACK_H

#include "state/lua_stage.h"

/* callback.c --------------------------------------------------------------------------- */
/* shl_callback_begin for handle_demand and handle_events: leaves the coroutine ready. */
int shl_callback_make_ready(struct shl_stage *s, enum shl_callback callback, sh_result *r);
static inline int shl_callback_begin_ready(struct shl_stage *s, enum shl_callback callback,
                                           sh_result *r)
{
    if (!s->is_ready || s->given || s->waiting)
        return shl_callback_make_ready(s, callback, r);
    s->callback = callback;
    return SH_OK;
}
/* Takes from a ready coroutine what is at its bottom, so that results begin at index 1. */
void shl_callback_unready(struct shl_stage *s);
/* Has a usable, empty coroutine, making one if the last is spent or was left waiting. */
int shl_callback_begin(struct shl_stage *s, enum shl_callback callback, sh_result *r);
/* Puts its function and self on the coroutine. */
void shl_callback_push(struct shl_stage *s, enum shl_callback callback);
/* All of it: runs a callback with the arguments that `push` moves to the coroutine; it finds
 * `args` at index 1 of its own state and may raise. */
int shl_callback_call(struct shl_stage *s, enum shl_callback callback, lua_CFunction push,
                      void *args, sh_result *r);
/* Runs what is on the coroutine: a function and nargs arguments. */
int shl_callback_run(struct shl_stage *s, int nargs, sh_result *r);
/* The answer a callback waits for: resumes it. Others are ignored. Takes value. */
void shl_callback_answer(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                         const sh_error *error);
/* r->reason = error, or a stand-in when it could not be made; the coroutine is emptied. */
int shl_callback_fail(struct shl_stage *s, sh_error *error, sh_result *r);

/* result.c: the values a callback returned, which are all that is on the coroutine ----- */
int shl_result_take(struct shl_stage *s, sh_result *r);
/* The error of a callback that returned what is on top of ctx->L (popped), which it must not;
 * NULL: out of memory. */
sh_error *shl_result_refuse(struct shl_stage *s, enum shl_callback callback);
/* verdict.c: makes the values that stagehost.stop and its like are known by. Raises. */
void shl_result_open(struct shl_context *ctx, lua_State *L);

/* from.c: whether the call that handle_call runs for is still to be answered; from now on, it is not. */
bool shl_from_close(struct shl_stage *s);

/* start.c ------------------------------------------------------------------------------ */
void shl_start_free(struct shl_start *start); /* NULL is allowed */
/* Applies the start options and the table at `index` of L (0: none) that init returned.
 * Raises, or sets *error. */
int shl_start_configure(struct shl_stage *s, lua_State *L, int index, sh_error **error);
/* Callbacks of the same names in sh_stage_ops. */
int shl_start_init(sh_stage *self, void *state, void *arg, sh_result *r);
int shl_start_encode(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error);
int shl_start_decode(sh_worker *worker, const sh_parcel *parcel, void **arg,
                     sh_error **error);

/* stage.c ------------------------------------------------------------------------------ */
void shl_stage_handle_reply(sh_stage *self, void *state, uint64_t ref, int status,
                            sh_batch value, sh_error *error);
/* Frees what the state holds, not the state. */
void shl_stage_release(struct shl_stage *s);

#endif

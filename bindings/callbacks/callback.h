/* SPDX-License-Identifier: MIT */
/* clang-format off */
/* How the callbacks of a Lua stage run. Each stage has a coroutine that is empty between callbacks,
 * or *ready*: as long as only handle_demand and handle_events run, these functions, `self` and
 * `from` stay at its bottom, and a returned list may be on top (events/batch.c). To run one,
 * its function and arguments are put on the coroutine, which is resumed:
 *
 *   it returns   -> the values on it become the sh_result (result.c); it is empty again
 *   it waits     -> it yields the wait token (wait.c); the stage returns SH_WAIT, and is
 *                   resumed by handle_reply; then as above, through sh_stage_complete
 *   it raises    -> the coroutine is spent: error with traceback, SH_EFAILED; the next callback
 *                   (terminate) gets a new one
 *
 * The hot path (events in, events out) touches no table, allocates nothing, and calls nothing that
 * can raise. All other code that may raise goes through shl_protect. */
/* clang-format on */
#ifndef SHL_CALLBACK_H
#define SHL_CALLBACK_H

#include "state/lua_stage.h"

/* Called before a stage runs anything: guards its thread's C stack. Raises. */
void shl_callback_enter(struct shl_stage *s, lua_State *L);
/* Like shl_callback_begin, for handle_demand and handle_events: leaves the coroutine ready. */
int shl_callback_make_ready(struct shl_stage *s, enum shl_callback callback, sh_result *r);
static inline int shl_callback_begin_ready(struct shl_stage *s, enum shl_callback callback,
                                           sh_result *r)
{
    if (!s->is_ready || s->given || s->waiting)
        return shl_callback_make_ready(s, callback, r);
    s->callback = callback;
    return SH_OK;
}
/* Removes the values at the bottom of a ready coroutine, so that results begin at index 1. */
void shl_callback_unready(struct shl_stage *s);
/* Provides a usable, empty coroutine: a new one if the last is spent or was left waiting. */
int shl_callback_begin(struct shl_stage *s, enum shl_callback callback, sh_result *r);
/* Puts the callback's function and self on the coroutine. */
void shl_callback_push(struct shl_stage *s, enum shl_callback callback);
/* Runs a whole callback with the arguments that `push` moves to the coroutine; `push` finds
 * `args` at index 1 of its own state and may raise. */
int shl_callback_call(struct shl_stage *s, enum shl_callback callback, lua_CFunction push,
                      void *args, sh_result *r);
/* Runs the function on the coroutine with the nargs arguments above it. */
int shl_callback_run(struct shl_stage *s, int nargs, sh_result *r);
/* Resumes the callback if it waits for this answer; ignores other answers. Takes value. */
void shl_callback_answer(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                         const sh_error *error);
/* Sets r->reason to `error`, or to a substitute if that is NULL; empties the coroutine. */
int shl_callback_fail(struct shl_stage *s, sh_error *error, sh_result *r);

#endif

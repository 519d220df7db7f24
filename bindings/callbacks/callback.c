/* SPDX-License-Identifier: MIT
 *
 * Running, suspending and resuming callbacks: see callback.h. */
#include "callbacks/callback.h"

#include <assert.h>

#include "callbacks/request.h"
#include "callbacks/result.h"
#include "callbacks/wait.h"
#include "events/batch.h"
#include "events/transfer.h"
#include "state/call.h"
#include "state/error.h"
#include "state/frames.h"
#include "state/leave.h"
#include "state/slot.h"

/* -- failing --------------------------------------------------------------------------- */

struct failure {
    struct shl_stage *s;
    lua_State *co;    /* its error value is on top, its frames are those of the error */
    const char *text; /* used instead of an error value, or NULL */
    sh_error *error;
};

/* The error of a coroutine that has failed, or that yielded without a wait. */
static int describe_failure(lua_State *L)
{
    struct failure *failure = lua_touserdata(L, 1);
    const struct shl_stage *s = failure->s;
    if (failure->text)
        lua_pushfstring(L, failure->text, shl_callback_name(s->callback));
    else
        lua_xmove(failure->co, L, 1);
    shl_push_traceback(L, 2, failure->co, NULL, 0);
    failure->error = shl_error_raised(L, 2, failure->co, sh_stage_name(s->self),
                                      shl_callback_name(s->callback), lua_tostring(L, 3));
    return 0;
}

/* Gives the coroutine up; a script may still hold it. */
static void drop_coroutine(struct shl_stage *s)
{
    shl_slot_free(s->ctx, s->co_slot);
    s->co_slot = 0;
    s->co = NULL;
    s->is_ready = false;
}

int shl_callback_fail(struct shl_stage *s, sh_error *error, sh_result *r)
{
    if (!error) /* there was no memory to say more */
        error =
            sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, NULL, "%s", sh_strerror(SH_ENOMEM));
    r->reason = error;
    shl_batch_keep(s);
    s->is_ready = false;
    if (s->co)
        lua_settop(s->co, 0);
    return SH_EFAILED;
}

static int fail_coroutine(struct shl_stage *s, const char *text, sh_result *r)
{
    struct failure failure = {.s = s, .co = s->co, .text = text};
    sh_error *error = NULL;
    if (shl_protect(s->ctx, describe_failure, &failure, &error) == SH_OK)
        error = failure.error;
    drop_coroutine(s);
    return shl_callback_fail(s, error, r);
}

/* -- beginning ------------------------------------------------------------------------- */

void shl_callback_enter(struct shl_stage *s, lua_State *L)
{
    if (shl_guard_enter(&s->ctx->guard, L))
        shl_transfer_note_library(L);
}

/* -- running --------------------------------------------------------------------------- */

static int make_coroutine(lua_State *L)
{
    struct shl_stage *s = lua_touserdata(L, 1);
    lua_State *co = lua_newthread(L);
    s->co_slot = shl_slot_take(s->ctx, L);
    s->co = co;
    return 0;
}

static int make_usable(struct shl_stage *s, enum shl_callback callback, sh_result *r)
{
    s->callback = callback;
    shl_batch_keep(s);
    if (s->waiting) { /* the core has given up the wait */
        s->waiting = 0;
        drop_coroutine(s);
    }
    if (s->co)
        return SH_OK;
    sh_error *error = NULL;
    return shl_protect(s->ctx, make_coroutine, s, &error) < 0
               ? shl_callback_fail(s, error, r)
               : SH_OK;
}

void shl_callback_unready(struct shl_stage *s)
{
    for (int i = 0; i < SHL_N_READY; i++)
        lua_remove(s->co, 1);
    s->is_ready = false;
}

int shl_callback_begin(struct shl_stage *s, enum shl_callback callback, sh_result *r)
{
    int status = make_usable(s, callback, r);
    if (s->is_ready)
        shl_callback_unready(s);
    return status;
}

static void make_ready(struct shl_stage *s)
{
    shl_slot_push(s->ctx, s->co, s->self_slot);
    shl_slot_push(s->ctx, s->co, s->functions[SHL_DEMAND]);
    shl_slot_push(s->ctx, s->co, s->functions[SHL_EVENTS]);
    lua_pushnil(s->co);
    s->from_slot = 0;
    s->is_ready = true;
}

int shl_callback_make_ready(struct shl_stage *s, enum shl_callback callback, sh_result *r)
{
    int status = make_usable(s, callback, r);
    if (status == SH_OK && !s->is_ready)
        make_ready(s);
    return status;
}

void shl_callback_push(struct shl_stage *s, enum shl_callback callback)
{
    lua_State *store = s->ctx->store;
    lua_rawgeti(store, 1, (int)s->functions[callback]);
    lua_rawgeti(store, 1, (int)s->self_slot);
    lua_xmove(store, s->co, 2);
}

int shl_callback_call(struct shl_stage *s, enum shl_callback callback, lua_CFunction push,
                      void *args, sh_result *r)
{
    if (shl_callback_begin(s, callback, r) < 0)
        return SH_EFAILED;
    shl_callback_push(s, callback);
    sh_error *error = NULL;
    if (shl_protect(s->ctx, push, args, &error) < 0)
        return shl_callback_fail(s, error, r);
    return shl_callback_run(s, lua_gettop(s->co) - 1, r);
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

/* The callback was left, see leave.h. */
static int leave(struct shl_stage *s, sh_result *r)
{
    enum shl_leave how = shl_leave_end(s->ctx);
    shl_batch_keep(s);
    drop_coroutine(s);
    s->waiting = 0;
    if (how == SHL_PARK)
        return SH_WAIT;
    if (how == SHL_FAIL)
        return shl_callback_fail(s, shl_leave_error(s->ctx), r);
    r->stop = s->callback != SHL_TERMINATE;
    return SH_DONE;
}

int shl_callback_run(struct shl_stage *s, int nargs, sh_result *r)
{
    struct shl_context *ctx = s->ctx;
    lua_State *co = s->co;
    assert(lua_gettop(ctx->store) == 1);
    ctx->current = s;
    int status = lua_resume(co, nargs);
    ctx->current = NULL;
    assert(lua_gettop(ctx->store) == 1);
    if (ctx->leaving != SHL_STAY)
        return leave(s, r);
    if (ctx->opts->gc_stress)
        shl_protect(ctx, collect, NULL, NULL);
    if (status == 0)
        return shl_result_take(s, r);
    if (status != LUA_YIELD)
        return fail_coroutine(s, NULL, r);
    if (s->waiting && shl_is_wait_token(co, 1)) {
        lua_settop(co, 0);
        return SH_WAIT;
    }
    return fail_coroutine(
        s,
        "%s called coroutine.yield outside a coroutine of its own (to wait, use "
        "stagehost.sleep, stage:call or stagehost.await)",
        r);
}

/* -- resuming -------------------------------------------------------------------------- */

struct answer {
    struct shl_stage *s;
    int status;
    sh_batch value;
    const sh_error *error;
    int n;
};

/* Puts the results of the waiting function on the coroutine. */
static int push_results(lua_State *L)
{
    struct answer *answer = lua_touserdata(L, 1);
    const struct shl_stage *s = answer->s;
    int n = s->convert(L, answer->status, answer->value, answer->error);
    lua_xmove(L, s->co, n);
    answer->n = n;
    return 0;
}

static int resume_with(struct shl_stage *s, struct answer *answer, sh_result *r)
{
    sh_error *error = NULL;
    if (lua_status(s->co) != LUA_YIELD) {
        drop_coroutine(s);
        error = sh_error_fmt(SH_REASON_RAISED, SH_ESTATE, NULL,
                             "%s was resumed by other code while it waited",
                             shl_callback_name(s->callback));
        return shl_callback_fail(s, error, r);
    }
    if (shl_protect(s->ctx, push_results, answer, &error) < 0) {
        drop_coroutine(s);
        return shl_callback_fail(s, error, r);
    }
    return shl_callback_run(s, answer->n, r);
}

void shl_callback_answer(struct shl_stage *s, uint64_t ref, int status, sh_batch value,
                         const sh_error *error)
{
    if (!s->ctx || s->waiting != ref) {
        if (s->ctx && s->requests)
            shl_request_keep(s, ref, status, value, error);
        sh_batch_unref(value);
        return;
    }
    if (s->requests && status != SH_ETIMEDOUT)
        shl_request_close(s, ref);
    sh_result r = {0};
    struct answer answer = {s, status, value, error, 0};
    s->waiting = 0;
    sh_stage_builds(s->self, true);
    int result = resume_with(s, &answer, &r);
    sh_batch_unref(value);
    if (result != SH_WAIT)
        sh_stage_complete(s->self, result, &r);
}

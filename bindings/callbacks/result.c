/* SPDX-License-Identifier: MIT
 *
 * Converts the results of a callback to an sh_result: a list of events, a reply, a mode, or a
 * stop. Any other value is an error that names the value and the values allowed. */
#include "callbacks/result.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "callbacks/callback.h"
#include "callbacks/from.h"
#include "callbacks/start.h"
#include "callbacks/verdict.h"
#include "events/batch.h"
#include "events/hole.h"
#include "events/strings.h"
#include "state/call.h"
#include "state/error.h"

enum { MAX_RESULTS = 2 }; /* more is ignored, as in Lua */

/* -- errors ---------------------------------------------------------------------------- */

/* The values that each callback may return. */
static const char *allowed(enum shl_callback callback)
{
    switch (callback) {
    case SHL_INIT:
        return "nothing, a table of options, stagehost.ignore, or stagehost.stop(reason)";
    case SHL_SUBSCRIBE:
        return "\"automatic\", \"manual\", nil, stagehost.redirect(producers), or "
               "stagehost.stop(reason)";
    case SHL_CALL:
        return "reply[, events], stagehost.noreply[, events], or "
               "stagehost.stop(reason[, events[, reply]]), with a list as events";
    case SHL_DISCARDED:
        return "true, false or nil";
    case SHL_SCRIPT:
    case SHL_TERMINATE:
    case SHL_DEMAND:
    case SHL_EVENTS:
    case SHL_CANCEL:
    case SHL_CAST:
    case SHL_INFO:
    case SHL_NOTIFICATION:
    case SHL_EXIT:
    case SHL_DOWN:
    case SHL_END:
    case SHL_N_CALLBACKS:
        break;
    }
    return "a list of events, nil, or stagehost.stop(reason)";
}

struct finish {
    struct shl_stage *s;
    lua_State *from;  /* has the value */
    int index;        /* of the value */
    const char *what; /* a description of it, or NULL */
    sh_error *error;
};

static const char *push_excerpt(lua_State *L, int index)
{
    enum { MOST = 60 };
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    lua_pushlstring(L, text, len < MOST ? len : MOST);
    return lua_pushfstring(L, "a string (\"%s%s\")", shl_push_c_text(L, -1),
                           len > MOST ? "..." : "");
}

static const char *push_description(lua_State *L, int index, const char *what)
{
    if (what)
        return what;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        return push_excerpt(L, index);
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        return lua_pushfstring(L, "a number (%s)", lua_tostring(L, -1));
    case LUA_TBOOLEAN:
        return lua_pushfstring(L, "a boolean (%s)",
                               lua_toboolean(L, index) ? "true" : "false");
    case LUA_TTABLE:
        return "a table without a list part";
    }
    return lua_pushfstring(L, "a %s", luaL_typename(L, index));
}

static int describe_bad_return(lua_State *L)
{
    struct finish *finish = lua_touserdata(L, 1);
    const struct shl_stage *s = finish->s;
    const char *callback = shl_callback_name(s->callback);
    lua_pushvalue(finish->from, finish->index);
    lua_xmove(finish->from, L, 1);
    const char *what = push_description(L, 2, finish->what);
    const char *message = lua_pushfstring(L, "%s returned %s: it must return %s", callback,
                                          what, allowed(s->callback));
    sh_error_fields fields = {.kind = SH_REASON_BAD_RETURN,
                              .message = message,
                              .stage = sh_stage_name(s->self),
                              .callback = callback};
    finish->error = sh_error_new(&fields);
    return 0;
}

static sh_error *bad_return_error(struct finish *finish)
{
    sh_error *error = NULL;
    if (shl_protect(finish->s->ctx, describe_bad_return, finish, &error) == SH_OK)
        error = finish->error;
    return error;
}

sh_error *shl_result_refuse(struct shl_stage *s, enum shl_callback callback)
{
    struct shl_context *ctx = s->ctx;
    enum shl_callback running = s->callback;
    struct finish finish = {.s = s, .from = ctx->store, .index = -1};
    lua_xmove(ctx->L, ctx->store, 1);
    s->callback = callback;
    sh_error *error = bad_return_error(&finish);
    s->callback = running;
    lua_pop(ctx->store, 1);
    return error;
}

static void drop_result(sh_result *r)
{
    sh_batch_unref(r->events);
    sh_batch_unref(r->reply);
    *r = (sh_result){0};
}

static int fail(struct shl_stage *s, sh_error *error, sh_result *r)
{
    drop_result(r);
    return shl_callback_fail(s, error, r);
}

static int bad_return(struct shl_stage *s, int index, const char *what, sh_result *r)
{
    struct finish finish = {.s = s, .from = s->co, .index = index, .what = what};
    return fail(s, bad_return_error(&finish), r);
}

static int bad_list(struct shl_stage *s, int index, size_t hole, sh_result *r)
{
    char what[80];
    snprintf(what, sizeof what, "a list with a hole (its event %zu is nil)", hole);
    return bad_return(s, index, what, r);
}

/* -- parts of a result ----------------------------------------------------------------- */

static int take_stop(struct shl_stage *s, sh_result *r)
{
    sh_error *error = NULL;
    size_t hole = shl_verdict_find_hole(s, 1);
    if (hole > 0)
        return bad_list(s, 1, hole, r);
    if (shl_verdict_take_stop(s, 1, r, &error) < 0)
        return fail(s, error, r);
    lua_settop(s->co, 0);
    return SH_DONE;
}

/* Whether the table at `index`, whose length is 0, is really empty. */
static bool is_empty(lua_State *co, int index)
{
    lua_pushnil(co);
    if (!lua_next(co, index))
        return true;
    lua_pop(co, 2);
    return false;
}

/* Takes the packed list at `index`, if there is one. Without memory it counts as something else. */
static bool take_packed(lua_State *co, int index, sh_result *r)
{
    const struct shl_strings *strings = shl_strings_test(co, index);
    return strings && shl_strings_batch(strings, &r->events) == SH_OK;
}

/* Takes the last part of a result: events at `index`; values above them are ignored. */
static int take_events(struct shl_stage *s, int index, sh_result *r)
{
    lua_State *co = s->co;
    if (lua_gettop(co) < index || lua_type(co, index) == LUA_TNIL) {
        lua_settop(co, 0);
        return SH_DONE;
    }
    if (take_packed(co, index, r)) {
        lua_settop(co, 0);
        return SH_DONE;
    }
    if (lua_type(co, index) != LUA_TTABLE)
        return bad_return(s, index, NULL, r);
    size_t n = lua_objlen(co, index), hole = shl_hole_find(s->ctx, co, index, n);
    if (hole > 0)
        return bad_list(s, index, hole, r);
    if (n == 0 && !is_empty(co, index))
        return bad_return(s, index, NULL, r);
    lua_settop(co, index);
    if (shl_batch_take(s->ctx, co, (uint32_t)n, &r->events) < 0)
        return fail(s, NULL, r);
    lua_settop(co, 0);
    return SH_DONE;
}

/* Whether the value on top is an empty table without a metatable. */
static bool is_empty_table(lua_State *co)
{
    if (!is_empty(co, lua_gettop(co)))
        return false;
    if (!lua_getmetatable(co, -1))
        return true;
    lua_pop(co, 1);
    return false;
}

/* Handles the usual results on a ready coroutine, nothing or a list; it stays ready. False: the
 * result is another one. No verdict has a length. */
static bool take_ready(struct shl_stage *s, sh_result *r)
{
    lua_State *co = s->co;
    int n_results = lua_gettop(co) - SHL_N_READY;
    if (n_results == 0)
        return true;
    if (n_results > 1)
        return false;
    if (take_packed(co, -1, r)) {
        lua_pop(co, 1);
        return true;
    }
    if (lua_type(co, -1) != LUA_TTABLE)
        return false;
    size_t n = lua_objlen(co, -1);
    if (n > 0)
        return shl_hole_is_unseen(s, co, n) &&
               shl_batch_leave(s, (uint32_t)n, &r->events) == SH_OK;
    if (!is_empty_table(co))
        return false;
    lua_pop(co, 1);
    return true;
}

/* -- by callback ----------------------------------------------------------------------- */

static int take_reply(struct shl_stage *s, sh_result *r)
{
    lua_State *co = s->co;
    if (lua_gettop(co) == 0)
        lua_pushnil(co);
    if (shl_verdict_is_value(s, 1, SHL_HELPER_NOREPLY))
        return take_events(s, 2, r);
    if (!shl_from_close(s))
        return lua_isnil(co, 1)
                   ? take_events(s, 2, r)
                   : bad_return(s, 1, "a second reply (from:reply has already answered)",
                                r);
    lua_pushvalue(co, 1);
    if (shl_payload_take(s->ctx, co, &r->reply) < 0)
        return fail(s, NULL, r);
    r->has_reply = true;
    return shl_verdict_is_stop(s, 2)
               ? bad_return(s, 2, "stagehost.stop(...) where events are expected", r)
               : take_events(s, 2, r);
}

static int take_mode(struct shl_stage *s, sh_result *r)
{
    lua_State *co = s->co;
    if (shl_verdict_is_redirect(s, 1)) {
        sh_error *error = NULL;
        if (shl_verdict_take_redirect(s, 1, r, &error) < 0)
            return fail(s, error, r);
        lua_settop(co, 0);
        return SH_DONE;
    }
    const char *mode = lua_type(co, 1) == LUA_TSTRING ? lua_tostring(co, 1) : NULL;
    if (mode && strcmp(mode, "manual") == 0)
        r->mode = SH_MANUAL;
    else if (mode ? strcmp(mode, "automatic") != 0 : !lua_isnoneornil(co, 1))
        return bad_return(s, 1, lua_istable(co, 1) ? "a table" : NULL, r);
    lua_settop(co, 0);
    return SH_DONE;
}

static int configure(lua_State *L)
{
    struct finish *finish = lua_touserdata(L, 1);
    lua_State *co = finish->s->co;
    bool has_options = lua_gettop(co) > 0 && !lua_isnil(co, 1);
    if (has_options) {
        lua_pushvalue(co, 1);
        lua_xmove(co, L, 1);
    }
    if (shl_start_configure(finish->s, L, has_options ? 2 : 0, &finish->error) < 0 &&
        !finish->error)
        luaL_error(L, "%s", sh_strerror(SH_EBADOPT));
    return 0;
}

static int take_init(struct shl_stage *s, sh_result *r)
{
    lua_State *co = s->co;
    if (shl_verdict_is_value(s, 1, SHL_HELPER_IGNORE)) {
        r->ignore = true;
        lua_settop(co, 0);
        return SH_DONE;
    }
    if (!lua_isnoneornil(co, 1) && !lua_istable(co, 1))
        return bad_return(s, 1, NULL, r);
    struct finish finish = {.s = s};
    sh_error *error = NULL;
    if (shl_protect(s->ctx, configure, &finish, &error) == SH_OK)
        error = finish.error;
    if (error)
        return fail(s, error, r);
    lua_settop(co, 0);
    return SH_DONE;
}

int shl_result_take(struct shl_stage *s, sh_result *r)
{
    lua_State *co = s->co;
    if (s->has_failed) {
        if (s->is_ready)
            shl_callback_unready(s);
        shl_verdict_drop_failed(s);
    }
    if (s->is_ready) {
        if (take_ready(s, r))
            return SH_DONE;
        shl_callback_unready(s);
    }
    if (lua_gettop(co) > MAX_RESULTS)
        lua_settop(co, MAX_RESULTS);
    if (s->callback != SHL_TERMINATE && shl_verdict_is_stop(s, 1))
        return take_stop(s, r);
    switch (s->callback) {
    case SHL_INIT:
        return take_init(s, r);
    case SHL_SUBSCRIBE:
        return take_mode(s, r);
    case SHL_CALL:
        return take_reply(s, r);
    case SHL_SCRIPT:
        r->stop = true;
        lua_settop(co, 0);
        return SH_DONE;
    case SHL_TERMINATE:
        lua_settop(co, 0);
        return SH_DONE;
    case SHL_DEMAND:
    case SHL_EVENTS:
    case SHL_CANCEL:
    case SHL_CAST:
    case SHL_INFO:
    case SHL_NOTIFICATION:
    case SHL_EXIT:
    case SHL_DOWN:
    case SHL_END:
        return take_events(s, 1, r);
    case SHL_DISCARDED:
    case SHL_N_CALLBACKS:
        break;
    }
    assert(!"a callback without a result");
    return SH_DONE;
}

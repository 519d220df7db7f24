/* SPDX-License-Identifier: MIT
 *
 * stagehost.stop(reason, events, reply), stagehost.noreply and stagehost.ignore: the values that a
 * callback returns instead of plain events. */
#include "callbacks/verdict.h"

#include "callbacks/from.h"
#include "events/batch.h"
#include "events/hole.h"
#include "events/strings.h"
#include "options/subscribe_options.h"
#include "state/call.h"
#include "state/error.h"
#include "state/handle.h"
#include "state/number.h"
#include "state/slot.h"

/* A stop is a table with the helper's metatable, and these fields. None of them is positive: its
 * length is 0, so that it is never taken for a list of events. */
enum { STOP_REASON = 0, STOP_EVENTS = -1, STOP_REPLY = -2, STOP_COUNT = -3 };

/* A redirection is a marked table, too: { list of handles and names, cancel mode or nil }. */
enum { REDIRECT_TARGETS = 1, REDIRECT_CANCEL };

enum { MOST_GIVEN = 3 }; /* reason, events, reply */

/* stop(reason, events, reply) */
static int verdict_stop(lua_State *L)
{
    int n = lua_gettop(L);
    lua_settop(L, MOST_GIVEN);
    if (!lua_isnil(L, 2) && !lua_istable(L, 2) && !shl_strings_test(L, 2))
        return luaL_error(L, "stagehost.stop: the events must be a list, got a %s",
                          luaL_typename(L, 2));
    lua_createtable(L, 0, n > 0 ? MOST_GIVEN + 1 : 1);
    for (int i = 0; i < MOST_GIVEN && i < n; i++) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, -2, STOP_REASON - i);
    }
    lua_pushinteger(L, n);
    lua_rawseti(L, -2, STOP_COUNT);
    shl_helper_push(shl_context(L), L, SHL_HELPER_STOP);
    lua_setmetatable(L, -2);
    return 1;
}

/* answers() -> noreply, ignore */
static int verdict_answers(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    shl_helper_push(ctx, L, SHL_HELPER_NOREPLY);
    shl_helper_push(ctx, L, SHL_HELPER_IGNORE);
    return 2;
}

/* redirect(list of handles and names, cancel = nil), both checked by the facade */
static int verdict_redirect(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_createtable(L, REDIRECT_CANCEL, 0);
    lua_insert(L, 1);
    lua_rawseti(L, 1, REDIRECT_CANCEL);
    lua_rawseti(L, 1, REDIRECT_TARGETS);
    shl_helper_push(shl_context(L), L, SHL_HELPER_REDIRECT);
    lua_setmetatable(L, -2);
    return 1;
}

/* The second argument as an error, or `usual`. NULL: out of memory. */
static sh_error *push_reason(lua_State *L, struct shl_stage *s, const char *usual)
{
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_pushstring(L, usual);
        lua_replace(L, 2);
    }
    return shl_error_raised(L, 2, NULL, sh_stage_name(s->self),
                            shl_callback_name(SHL_EVENTS), NULL);
}

/* Returns the value that marks a failure, whose `status` is that of the core. */
static int mark_failed(lua_State *L, struct shl_stage *s, const char *what, int status)
{
    if (status < 0)
        return luaL_error(L, "%s: %s", what, sh_strerror(status));
    s->has_failed = true;
    shl_helper_push(s->ctx, L, SHL_HELPER_FAILED);
    return 1;
}

/* failed(i, reason): the i-th event of the batch that handle_events has now. Returns a value for
 * the list of results, from which it is taken out. */
static int verdict_failed(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    struct shl_stage *s = ctx->current;
    if (!s || s->callback != SHL_EVENTS)
        return luaL_error(L, "stagehost.failed: only handle_events can call it");
    lua_Number i = luaL_checknumber(L, 1);
    bool is_index = i >= 1 && i <= (lua_Number)UINT32_MAX && (lua_Number)(uint32_t)i == i;
    uint32_t at = is_index ? (uint32_t)i - 1 : UINT32_MAX; /* no batch is that long */
    int status = SH_ENOMEM;
    sh_error *reason = push_reason(L, s, "the event could not be handled");
    if (reason)
        status = sh_stage_fail_event(s->self, at, reason);
    if (status == SH_EBADOPT)
        return luaL_error(L, "stagehost.failed: this call has no event %s",
                          lua_tostring(L, 1));
    return mark_failed(L, s, "stagehost.failed", status);
}

/* retry_in(ms, reason): a delay before the next try of the batch that handle_events has now */
static int verdict_retry_in(lua_State *L)
{
    struct shl_context *ctx = shl_context(L);
    struct shl_stage *s = ctx->current;
    if (!s || s->callback != SHL_EVENTS)
        return luaL_error(L, "stagehost.retry_in: only handle_events can call it");
    uint64_t ms = shl_check_ms(L, 1, 0);
    int status = SH_ENOMEM;
    sh_error *reason = push_reason(L, s, "it asked for another try");
    if (reason)
        status = sh_stage_retry_in(s->self, ms, reason);
    if (status == SH_EBADOPT)
        return luaL_error(L, "stagehost.retry_in: the stage needs on_error = \"retry\"");
    return mark_failed(L, s, "stagehost.retry_in", status);
}

/* Takes the value on top out of the list at `index`, wherever it is there. */
static void drop_from_list(lua_State *co, int index)
{
    int marker = lua_gettop(co);
    size_t n = lua_objlen(co, index), kept = 0;
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(co, index, (int)i);
        if (!lua_rawequal(co, -1, marker))
            lua_rawseti(co, index, (int)++kept);
        else
            lua_pop(co, 1);
    }
    for (size_t i = kept + 1; i <= n; i++) {
        lua_pushnil(co);
        lua_rawseti(co, index, (int)i);
    }
}

void shl_verdict_drop_failed(struct shl_stage *s)
{
    lua_State *co = s->co;
    s->has_failed = false;
    if (lua_type(co, 1) != LUA_TTABLE)
        return;
    if (shl_verdict_is_value(s, 1, SHL_HELPER_FAILED)) {
        lua_settop(co, 0);
        return;
    }
    int top = lua_gettop(co), list = 1;
    if (shl_verdict_is_stop(s, 1)) {
        lua_rawgeti(co, 1, STOP_EVENTS);
        list = top + 1;
    }
    if (lua_type(co, list) == LUA_TTABLE) {
        shl_helper_push(s->ctx, co, SHL_HELPER_FAILED);
        drop_from_list(co, list);
    }
    lua_settop(co, top);
}

const luaL_Reg shl_verdict_functions[] = {
    {"failed", verdict_failed},     {"retry_in", verdict_retry_in},
    {"redirect", verdict_redirect}, {"stop", verdict_stop},
    {"answers", verdict_answers},   {NULL, NULL},
};

static int print_name(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

/* A table of its own that prints as `name`, with itself as its metatable. */
static void open_value(struct shl_context *ctx, lua_State *L, const char *name,
                       enum shl_helper helper)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_pushcclosure(L, print_name, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pushvalue(L, -1);
    lua_setmetatable(L, -2);
    ctx->helpers[helper] = shl_slot_take(ctx, L);
}

void shl_verdict_open(struct shl_context *ctx, lua_State *L)
{
    open_value(ctx, L, "stagehost.stop", SHL_HELPER_STOP);
    open_value(ctx, L, "stagehost.redirect", SHL_HELPER_REDIRECT);
    open_value(ctx, L, "stagehost.noreply", SHL_HELPER_NOREPLY);
    open_value(ctx, L, "stagehost.ignore", SHL_HELPER_IGNORE);
    open_value(ctx, L, "stagehost.failed", SHL_HELPER_FAILED);
}

/* -- reading --------------------------------------------------------------------------- */

/* How a helper marks a value: by its metatable, or the value is the helper itself. */
enum mark { BY_METATABLE, BY_IDENTITY };

/* Only a table with a metatable can be a verdict: a plain list costs nothing. */
static bool is_marked(struct shl_stage *s, int index, enum shl_helper helper,
                      enum mark mark)
{
    lua_State *co = s->co;
    if (lua_type(co, index) != LUA_TTABLE || !lua_getmetatable(co, index))
        return false;
    if (mark == BY_IDENTITY) {
        lua_pop(co, 1);
        lua_pushvalue(co, index);
    }
    shl_helper_push(s->ctx, co, helper);
    bool is_it = lua_rawequal(co, -1, -2);
    lua_pop(co, 2);
    return is_it;
}

bool shl_verdict_is_stop(struct shl_stage *s, int index)
{
    return is_marked(s, index, SHL_HELPER_STOP, BY_METATABLE);
}

size_t shl_verdict_find_hole(struct shl_stage *s, int index)
{
    size_t hole = 0;
    lua_rawgeti(s->co, index, STOP_EVENTS);
    if (lua_istable(s->co, -1))
        hole = shl_hole_find(s->ctx, s->co, lua_gettop(s->co), lua_objlen(s->co, -1));
    lua_pop(s->co, 1);
    return hole;
}

bool shl_verdict_is_value(struct shl_stage *s, int index, enum shl_helper value)
{
    return is_marked(s, index, value, BY_IDENTITY);
}

struct reader {
    struct shl_stage *s;
    int index;
    sh_result *r;
};

static int read_stop(lua_State *L)
{
    const struct reader *reader = lua_touserdata(L, 1);
    struct shl_stage *s = reader->s;
    sh_result *r = reader->r;
    int status = SH_OK;
    lua_pushvalue(s->co, reader->index);
    lua_xmove(s->co, L, 1); /* data, stop */
    lua_rawgeti(L, 2, STOP_REASON);
    lua_rawgeti(L, 2, STOP_COUNT); /* data, stop, reason, count */
    if (lua_tointeger(L, 4) >= 2) {
        lua_rawgeti(L, 2, STOP_EVENTS);
        const struct shl_strings *strings = shl_strings_test(L, -1);
        uint32_t n = lua_istable(L, -1) ? (uint32_t)lua_objlen(L, -1) : 0;
        if (strings)
            status = shl_strings_batch(strings, &r->events);
        else
            status = shl_batch_take(s->ctx, L, n, &r->events);
    }
    if (status == SH_OK && lua_tointeger(L, 4) >= MOST_GIVEN) {
        lua_rawgeti(L, 2, STOP_REPLY);
        status = shl_payload_take(s->ctx, L, &r->reply);
        r->has_reply = status == SH_OK;
    }
    if (status == SH_OK)
        status = shl_to_reason(L, 3, &r->reason);
    if (status < 0)
        luaL_error(L, "%s", sh_strerror(status));
    r->stop = true;
    return 0;
}

int shl_verdict_take_stop(struct shl_stage *s, int index, sh_result *r, sh_error **error)
{
    struct reader reader = {s, index, r};
    int status = shl_protect(s->ctx, read_stop, &reader, error);
    if (status < 0 || !r->has_reply)
        return status;
    if (s->callback != SHL_CALL || !shl_from_close(s)) { /* no caller waits for it */
        sh_batch_unref(r->reply);
        r->reply = (sh_batch){0};
        r->has_reply = false;
    }
    return SH_OK;
}

/* -- redirections ---------------------------------------------------------------------- */

bool shl_verdict_is_redirect(struct shl_stage *s, int index)
{
    return is_marked(s, index, SHL_HELPER_REDIRECT, BY_METATABLE);
}

/* Handles and names stay alive with the table. */
static int read_redirect(lua_State *L)
{
    const struct reader *reader = lua_touserdata(L, 1);
    lua_pushvalue(reader->s->co, reader->index);
    lua_xmove(reader->s->co, L, 1);
    lua_rawgeti(L, 2, REDIRECT_TARGETS);
    lua_rawgeti(L, 2, REDIRECT_CANCEL); /* data, redirect, targets, cancel */
    size_t n = lua_objlen(L, 3);
    sh_target *targets = lua_newuserdata(L, n * sizeof *targets + 1);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 3, (int)i + 1);
        sh_stage *stage = shl_test_stage(L, -1);
        targets[i] = (sh_target){stage, stage ? NULL : lua_tostring(L, -1)};
        lua_pop(L, 1);
    }
    bool has_cancel = !lua_isnil(L, 4);
    sh_cancel cancel = has_cancel ? shl_cancel_check(L, 4) : SH_CANCEL_DEFAULT;
    int status = sh_result_redirect(reader->r, targets, n, has_cancel ? &cancel : NULL);
    return status < 0 ? luaL_error(L, "%s", sh_strerror(status)) : 0;
}

int shl_verdict_take_redirect(struct shl_stage *s, int index, sh_result *r,
                              sh_error **error)
{
    struct reader reader = {s, index, r};
    return shl_protect(s->ctx, read_redirect, &reader, error);
}

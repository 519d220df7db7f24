/* SPDX-License-Identifier: MIT
 *
 * A signal handler may set a hook, and nothing else. The hook is called before the next instruction
 * that is interpreted: it makes the traceback, and may make the callback be left. Compiled code
 * that neither leaves its trace nor allocates never calls it. */
#include "state/interrupt.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/leave.h"
#include "state/slot.h"

/* -- places ---------------------------------------------------------------------------- */

/* A userdata in the table of the helper, under its function. It takes longer to find out than all
 * else that a start has to do with a callback. */
struct shl_place {
    const char *source; /* belongs to the function */
    int line;
};

void shl_places_open(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

/* Makes the place of the function on top, below which is the table. */
static const struct shl_place *make_place(lua_State *L)
{
    lua_Debug where;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &where);
    lua_pushvalue(L, -1); /* table, function, function, place */
    struct shl_place *place = lua_newuserdata(L, sizeof *place);
    *place =
        (struct shl_place){where.source, where.linedefined > 0 ? where.linedefined : 0};
    lua_rawset(L, -4);
    return place;
}

void shl_place_keep(struct shl_stage *s, lua_State *L, enum shl_callback callback)
{
    shl_helper_push(s->ctx, L, SHL_HELPER_PLACES);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3); /* table, function, place or nil */
    const struct shl_place *place = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!place)
        place = make_place(L);
    lua_pop(L, 2);
    atomic_store_explicit(&s->places[callback], place, memory_order_release);
}

static const struct shl_place *place_of(const struct shl_stage *s, int callback)
{
    return atomic_load_explicit(&s->places[callback], memory_order_acquire);
}

/* The name of a chunk without the mark of its kind; a word if the name is code. */
static const char *source_name(const struct shl_place *place)
{
    const char *source = place ? place->source : NULL;
    return source && (*source == '@' || *source == '=') ? source + 1 : "a string";
}

void shl_place_of_callback(const void *state, const char *callback, char *out, size_t size)
{
    const struct shl_stage *s = state;
    for (int i = 0; i < SHL_N_CALLBACKS; i++) {
        const struct shl_place *place = place_of(s, i);
        if (!place || strcmp(shl_callback_name((enum shl_callback)i), callback) != 0)
            continue;
        if (place->line > 0)
            snprintf(out, size, "%s:%d", source_name(place), place->line);
    }
}

void shl_place_of_script(const void *state, const char *callback, char *out, size_t size)
{
    (void)callback;
    snprintf(out, size, "main chunk of %s", source_name(place_of(state, SHL_SCRIPT)));
}

/* -- interrupting ---------------------------------------------------------------------- */

static _Thread_local struct shl_context *here;

enum { IDLE, ASKED, ASKED_TO_LEAVE, ANSWERING, ANSWERED };

/* Of the process: it has one watchdog. The answer belongs to the thread that sets ANSWERING, until
 * it sets ANSWERED. */
static atomic_int state;
static char *answer;

void shl_interrupt_open(struct shl_context *ctx)
{
    here = ctx;
}

static sh_error *make_error(const struct shl_context *ctx, const char *traceback)
{
    sh_busy busy = {.callback = "a callback"};
    char text[512] = "";
    if (sh_worker_get_busy(ctx->worker, &busy))
        sh_busy_text(&busy, text, sizeof text);
    char message[sizeof text + 64];
    snprintf(message, sizeof message, "it does not return, the watchdog ends it: %s", text);
    return sh_error_new(&(sh_error_fields){.kind = SH_REASON_RAISED,
                                           .message = message,
                                           .stage = busy.stage[0] ? busy.stage : NULL,
                                           .callback = busy.callback,
                                           .traceback = traceback});
}

static void on_hook(lua_State *L, lua_Debug *where)
{
    (void)where;
    lua_sethook(L, NULL, 0, 0);
    int asked = atomic_load(&state);
    if ((asked != ASKED && asked != ASKED_TO_LEAVE) ||
        !atomic_compare_exchange_strong(&state, &asked, ANSWERING))
        return;
    struct shl_context *ctx = shl_context(L);
    luaL_traceback(L, L, NULL, 0);
    answer = strdup(lua_tostring(L, -1));
    if (asked == ASKED_TO_LEAVE)
        shl_leave_failing(L, make_error(ctx, lua_tostring(L, -1)));
    lua_pop(L, 1);
    atomic_store(&state, ANSWERED);
}

void sh_lua_interrupt_prepare(bool leave)
{
    free(sh_lua_interrupt_answer());
    atomic_store(&state, leave ? ASKED_TO_LEAVE : ASKED);
}

void sh_lua_interrupt(void)
{
    if (here && here->leaving == SHL_STAY)
        lua_sethook(here->L, on_hook, LUA_MASKCOUNT, 1);
}

bool sh_lua_interrupt_is_answered(void)
{
    return atomic_load(&state) == ANSWERED;
}

char *sh_lua_interrupt_answer(void)
{
    int asked = atomic_load(&state);
    while (asked == ASKED || asked == ASKED_TO_LEAVE)
        if (atomic_compare_exchange_weak(&state, &asked, IDLE))
            return NULL;
    while (atomic_load(&state) == ANSWERING)
        ; /* it takes a moment */
    char *text = answer;
    answer = NULL;
    atomic_store(&state, IDLE);
    return text;
}

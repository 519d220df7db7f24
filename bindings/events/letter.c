/* SPDX-License-Identifier: MIT
 *
 * Dead letters: { event =, error =, stage =, deliveries = }, one for each event. */
#include "events/letter.h"

#include "events/batch.h"
#include "state/call.h"
#include "state/context.h"
#include "state/error.h"

struct job {
    struct shl_context *ctx;
    sh_batch events;
    const sh_error *error;
    const char *stage;
    uint32_t deliveries;
    sh_batch out;
};

/* The error, the same object for all, is at `error`; the event on top (popped). */
static void push_letter(lua_State *L, const struct job *job, int error)
{
    lua_createtable(L, 0, 4);
    lua_insert(L, -2);
    lua_setfield(L, -2, "event");
    lua_pushvalue(L, error);
    lua_setfield(L, -2, "error");
    lua_pushstring(L, job->stage);
    lua_setfield(L, -2, "stage");
    lua_pushnumber(L, job->deliveries);
    lua_setfield(L, -2, "deliveries");
}

static int write_letters(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    shl_push_reason(L, job->error);
    shl_batch_push(job->ctx, L, job->events);
    lua_createtable(L, (int)job->events.n, 0); /* job, error, events, letters */
    for (uint32_t i = 1; i <= job->events.n; i++) {
        lua_rawgeti(L, 3, (int)i);
        push_letter(L, job, 2);
        lua_rawseti(L, 4, (int)i);
    }
    if (shl_payload_take(job->ctx, L, &job->out) < 0)
        luaL_error(L, "not enough memory");
    return 0;
}

sh_list *shl_letters(sh_worker *worker, const sh_batch *events, const sh_error *error,
                     const char *stage, uint32_t deliveries)
{
    struct job job = {.ctx = shl_worker_context(worker),
                      .events = *events,
                      .error = error,
                      .stage = stage,
                      .deliveries = deliveries};
    return shl_protect(job.ctx, write_letters, &job, NULL) < 0 ? NULL : job.out.list;
}

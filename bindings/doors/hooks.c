/* SPDX-License-Identifier: MIT
 *
 * The public doors: the hooks that give every worker of a host a Lua state, and the functions
 * by which a C program uses that state. */
#include "stagehost_lua.h"

#include <stdatomic.h>
#include <string.h>

#include "doors/worker.h"
#include "events/batch.h"
#include "events/value.h"
#include "objects/board.h"
#include "state/call.h"
#include "state/context.h"
#include "state/handle.h"

/* `hooks` comes first: the caller holds a pointer to it. */
struct lua_hooks {
    sh_worker_hooks hooks;
    sh_lua_opts opts;
    struct shl_board *board;
    atomic_bool is_stuck; /* written by any worker */
    const char *libraries[];
};

static int open_worker(sh_worker *worker, void *data, sh_error **error)
{
    const struct lua_hooks *hooks = data;
    return shl_worker_open(worker, &hooks->opts, hooks->board, error) ? SH_OK : SH_EFAILED;
}

static void close_worker(sh_worker *worker, void *data)
{
    struct lua_hooks *hooks = data;
    if (!shl_worker_close(shl_worker_context(worker)))
        atomic_store(&hooks->is_stuck, true);
    *sh_worker_slot(worker) = NULL;
}

static const char *put(char **room, const char *text)
{
    size_t size = strlen(text) + 1;
    const char *place = memcpy(*room, text, size);
    *room += size;
    return place;
}

sh_worker_hooks *sh_lua_hooks_new(const sh_lua_opts *opts)
{
    static const sh_lua_opts defaults;
    if (!opts)
        opts = &defaults;
    size_t n = opts->n_libraries;
    size_t size = sizeof(struct lua_hooks) + n * sizeof(char *);
    size_t strings = opts->path ? strlen(opts->path) + 1 : 0;
    strings += opts->cpath ? strlen(opts->cpath) + 1 : 0;
    for (size_t i = 0; i < n; i++)
        strings += strlen(opts->libraries[i]) + 1;
    struct lua_hooks *hooks = sh_malloc(size + strings);
    if (!hooks)
        return NULL;
    hooks->board = shl_board_new();
    if (!hooks->board) {
        sh_free(hooks);
        return NULL;
    }
    hooks->hooks = (sh_worker_hooks){open_worker, close_worker, hooks};
    hooks->opts = *opts;
    atomic_init(&hooks->is_stuck, false);
    hooks->opts.libraries = hooks->libraries;
    char *room = (char *)(hooks->libraries + n);
    hooks->opts.path = opts->path ? put(&room, opts->path) : NULL;
    hooks->opts.cpath = opts->cpath ? put(&room, opts->cpath) : NULL;
    for (size_t i = 0; i < n; i++)
        hooks->libraries[i] = put(&room, opts->libraries[i]);
    return &hooks->hooks;
}

void sh_lua_hooks_free(sh_worker_hooks *hooks)
{
    if (!hooks)
        return;
    shl_board_free(((struct lua_hooks *)hooks)->board);
    sh_free(hooks);
}

bool sh_lua_hooks_are_stuck(const sh_worker_hooks *hooks)
{
    return atomic_load(&((const struct lua_hooks *)hooks->data)->is_stuck);
}

lua_State *sh_lua_state(sh_worker *worker)
{
    const struct shl_context *ctx = shl_worker_context(worker);
    return ctx ? ctx->L : NULL;
}

void sh_lua_push_stage(lua_State *L, sh_stage *stage)
{
    shl_push_stage(L, stage);
}

sh_stage *sh_lua_check_stage(lua_State *L, int index)
{
    return shl_check_stage(L, index);
}

void sh_lua_push_subscription(lua_State *L, sh_subscription *sub)
{
    shl_push_subscription(L, sub);
}

sh_subscription *sh_lua_check_subscription(lua_State *L, int index)
{
    return shl_check_subscription(L, index);
}

int sh_lua_to_payload(lua_State *L, int index, sh_batch *out)
{
    lua_pushvalue(L, index);
    return shl_payload_take(shl_context(L), L, out);
}

void sh_lua_push_payload(lua_State *L, sh_batch payload)
{
    shl_payload_push(shl_context(L), L, payload);
}

struct conversion {
    struct shl_context *ctx;
    sh_batch in, out;
    int status;
};

static int convert_batch(lua_State *L)
{
    struct conversion *job = lua_touserdata(L, 1);
    shl_batch_push(job->ctx, L, job->in);
    job->status = shl_values_take(L, 2, job->in.n, &job->out);
    return 0;
}

int sh_lua_to_values(sh_worker *worker, sh_batch batch, sh_batch *out, sh_error **error)
{
    if (batch.n == 0 || sh_batch_values(batch)) {
        *out = sh_batch_ref(batch);
        return SH_OK;
    }
    struct conversion job = {.ctx = shl_worker_context(worker), .in = batch};
    int status = shl_protect(job.ctx, convert_batch, &job, error);
    if (status == SH_OK)
        status = job.status;
    if (status == SH_OK)
        *out = job.out;
    return status;
}

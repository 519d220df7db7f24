/* SPDX-License-Identifier: MIT
 *
 * A script as a process: its main chunk is the process's init, so that it may wait at top
 * level. */
#include "stagehost_lua.h"

#include <string.h>

#include "callbacks/callback.h"
#include "callbacks/stage.h"
#include "state/call.h"
#include "state/chunk.h"
#include "state/interrupt.h"
#include "state/lua_stage.h"
#include "state/slot.h"

/* A copy of the caller's script; all strings are behind the struct in the same block. */
struct script {
    size_t len, n_args;
    char *chunk, *name, *arg0;
    char **args;
};

static char *put(char **room, const char *text, size_t len)
{
    char *place = *room;
    memcpy(place, text, len);
    place[len] = '\0';
    *room += len + 1;
    return place;
}

static struct script *script_new(const sh_lua_script *from)
{
    const char *name = from->name ? from->name : "=script";
    size_t size = sizeof(struct script) + from->n_args * sizeof(char *) + from->len +
                  strlen(name) + 2;
    if (from->arg0)
        size += strlen(from->arg0) + 1;
    for (size_t i = 0; i < from->n_args; i++)
        size += strlen(from->args[i]) + 1;
    struct script *script = sh_malloc(size);
    if (!script)
        return NULL;
    *script = (struct script){.len = from->len, .n_args = from->n_args};
    script->args = (char **)(script + 1);
    char *room = (char *)(script->args + from->n_args);
    script->chunk = put(&room, from->chunk, from->len);
    script->name = put(&room, name, strlen(name));
    script->arg0 = from->arg0 ? put(&room, from->arg0, strlen(from->arg0)) : NULL;
    for (size_t i = 0; i < from->n_args; i++)
        script->args[i] = put(&room, from->args[i], strlen(from->args[i]));
    return script;
}

/* -- running it ------------------------------------------------------------------------ */

struct launch {
    struct shl_stage *s;
    const struct script *script;
};

/* Puts run(chunk, args) of lua/stagehost/engine/script.lua on the coroutine. */
static int push_script(lua_State *L)
{
    const struct launch *launch = lua_touserdata(L, 1);
    const struct script *script = launch->script;
    shl_callback_enter(launch->s, L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "stagehost.engine.script");
    lua_call(L, 1, 1);
    struct shl_guard *guard = &launch->s->ctx->guard;
    if (shl_chunk_load(guard, L, script->chunk, script->len, script->name) != 0)
        return lua_error(L);
    shl_place_keep(launch->s, L, SHL_SCRIPT);
    lua_pushvalue(L, -1);
    launch->s->functions[SHL_SCRIPT] = shl_slot_take(launch->s->ctx, L);
    lua_createtable(L, (int)script->n_args, 1); /* launch, run, chunk, args */
    for (size_t i = 0; i < script->n_args; i++) {
        lua_pushstring(L, script->args[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_pushstring(L, script->arg0);
    lua_rawseti(L, -2, 0);
    lua_xmove(L, launch->s->co, 3);
    return 0;
}

static int init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct shl_stage *s = state;
    struct launch launch = {s, arg};
    s->self = self;
    s->ctx = shl_worker_context(sh_stage_worker(self));
    sh_error *error = NULL;
    int status = shl_callback_begin(s, SHL_SCRIPT, r);
    if (status == SH_OK && shl_protect(s->ctx, push_script, &launch, &error) < 0)
        status = shl_callback_fail(s, error, r);
    sh_free(arg);
    return status < 0 ? status : shl_callback_run(s, 2, r);
}

static void destroy(sh_stage *self, void *state, void *arg)
{
    (void)self;
    sh_free(arg);
    if (state)
        shl_stage_release(state);
}

static const sh_stage_ops script_ops = {
    .size = sizeof(struct shl_stage),
    .init = init,
    .handle_reply = shl_stage_handle_reply,
    .destroy = destroy,
    .locate = shl_place_of_script,
};

/* -- starting it ----------------------------------------------------------------------- */

/* Checks the syntax in a separate state: the worker's may not exist yet. Bytecode is left to the
 * worker, which knows whether it may be loaded. */
static int check_syntax(const sh_lua_script *script, sh_error **error)
{
    if (script->len > 0 && *script->chunk == *LUA_SIGNATURE)
        return SH_OK;
    const char *name = script->name ? script->name : "=script";
    lua_State *L = luaL_newstate();
    if (!L)
        return SH_ENOMEM;
    struct shl_guard guard = {0};
    bool ok = shl_chunk_load(&guard, L, script->chunk, script->len, name) == 0;
    int status = ok ? SH_OK : SH_EFAILED;
    if (status < 0 && error) {
        const char *text = lua_tostring(L, -1);
        *error = sh_error_fmt(SH_REASON_RAISED, SH_EFAILED, "syntax", "%s",
                              text ? text : "not a chunk");
    }
    lua_close(L);
    return status;
}

/* The name in logs: the file without its folders. */
static const char *label(const char *name)
{
    if (!name || *name != '@')
        return "script";
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name + 1;
}

int sh_lua_start_script(sh_worker *worker, const sh_lua_script *script, sh_stage **out,
                        sh_error **error)
{
    if (error)
        *error = NULL;
    int status = check_syntax(script, error);
    if (status < 0)
        return status;
    struct script *copy = script_new(script);
    if (!copy)
        return SH_ENOMEM;
    sh_stage_opts opts = {
        .kind = SH_PROCESS, .ops = &script_ops, .arg = copy, .label = label(script->name)};
    return sh_stage_start(worker, &opts, (sh_from){0}, out, error);
}

/* SPDX-License-Identifier: MIT
 *
 * Dispatchers written in Lua. */
#ifndef SHL_LUA_DISPATCHER_H
#define SHL_LUA_DISPATCHER_H

#include "state/context.h"

extern const sh_dispatcher_ops shl_lua_dispatcher;

/* The dispatcher_opts of a Lua dispatcher. The table at `index` of L has `callbacks` and
 * `options`, which init reads before sh_stage_configure returns. */
struct shl_lua_dispatcher_opts {
    struct shl_context *ctx;
    sh_stage *stage; /* the producer; outlives the dispatcher */
    lua_State *L;
    int index;
};

#endif

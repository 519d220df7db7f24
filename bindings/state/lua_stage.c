/* SPDX-License-Identifier: MIT
 *
 * The stage whose callback runs, and the names of callbacks. */
#include "state/lua_stage.h"

static const char *const names[] = {
#define XX(name, text) text,
    SHL_CALLBACK_MAP(XX)
#undef XX
};

const char *shl_callback_name(enum shl_callback callback)
{
    return names[callback];
}

sh_stage *shl_current_stage(const struct shl_context *ctx)
{
    return ctx->current ? ctx->current->self : NULL;
}

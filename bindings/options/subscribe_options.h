/* SPDX-License-Identifier: MIT
 *
 * Subscription options from the form that lua/stagehost/options/init.lua gives them. */
#ifndef SHL_SUBSCRIBE_OPTIONS_H
#define SHL_SUBSCRIBE_OPTIONS_H

#include <lua.h>

#include "stagehost.h"

/* Reads the table at `index` (positive). Names and stages are borrowed from the table; *out
 * owns the fields that the core takes. SH_ENOMEM: *out owns nothing. */
int shl_subscribe_opts_read(lua_State *L, int index, sh_subscribe_opts *out);
/* The option "rate" of the table at `index`, { events =, per_ms = }, or none. */
void shl_rate_read(lua_State *L, int index, sh_rate *out);
/* The mode whose word stands at `index`. Raises if it is another word. */
sh_cancel shl_cancel_check(lua_State *L, int index);
/* The word in field "cancel" of the table at `index`; none: permanent. */
sh_cancel shl_cancel_read(lua_State *L, int index);
/* Frees what *opts owns if the core never got the options. */
void shl_subscribe_opts_drop(sh_subscribe_opts *opts);

#endif

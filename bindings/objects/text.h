/* SPDX-License-Identifier: MIT
 *
 * The Lua module "stagehost.core.text": operators on packed lists, for lua/stagehost/text, which
 * checks options. lua/stagehost/text/core_meta.lua describes it. */
#ifndef SHL_TEXT_H
#define SHL_TEXT_H

#include <lauxlib.h>

#include "stagehost/text.h"
#include "state/type.h"

int luaopen_stagehost_core_text(lua_State *L);

/* The field whose number is at `index` (0: the whole string), with the separator behind it (nil:
 * white space), which is borrowed of the stack. */
sh_field shl_text_field(lua_State *L, int index);

extern const struct shl_type shl_text_splitter_type, shl_text_pattern_type,
    shl_text_counts_type;

/* Makers of objects. */
int shl_text_splitter(lua_State *L); /* splitter(keep_cr) */
int shl_text_pattern(lua_State *L);  /* pattern(text, is_plain) -> pattern | nil, problem */
int shl_text_counts(lua_State *L);   /* counts() */

/* The pattern at `index`, or an error. */
sh_pattern *shl_text_check_pattern(lua_State *L, int index);

#endif

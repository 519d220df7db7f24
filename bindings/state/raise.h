/* SPDX-License-Identifier: MIT
 *
 * Failures of the core as Lua errors. */
#ifndef SHL_RAISE_H
#define SHL_RAISE_H

#include <lua.h>

#include "stagehost.h"

/* Raises the failure of a core function at the caller's position, as "what: text". Takes
 * `error`. */
int shl_raise(lua_State *L, const char *what, int status, sh_error *error);

#endif

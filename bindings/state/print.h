/* SPDX-License-Identifier: MIT
 *
 * print for scripts whose stages are on several workers. */
#ifndef SHL_PRINT_H
#define SHL_PRINT_H

#include <lua.h>

#include "state/guard.h"

/* Replaces the global print by one that writes whole lines. Raises. */
void shl_print_open(struct shl_guard *guard, lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What a script can learn from the host and tell it. */
#ifndef SHL_RUNTIME_H
#define SHL_RUNTIME_H

#include <lauxlib.h>

extern const luaL_Reg shl_runtime_functions[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * The functions by which a script reads and changes the state of the host. */
#ifndef SHL_RUNTIME_H
#define SHL_RUNTIME_H

#include <lauxlib.h>

extern const luaL_Reg shl_runtime_functions[];

#endif

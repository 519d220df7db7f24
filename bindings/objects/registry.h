/* SPDX-License-Identifier: MIT
 *
 * Names and groups. */
#ifndef SHL_REGISTRY_H
#define SHL_REGISTRY_H

#include <lauxlib.h>

extern const luaL_Reg shl_registry_functions[];

#endif

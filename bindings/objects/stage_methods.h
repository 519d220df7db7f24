/* SPDX-License-Identifier: MIT
 *
 * The methods of a stage handle. */
#ifndef SHL_STAGE_METHODS_H
#define SHL_STAGE_METHODS_H

#include <lauxlib.h>

extern const luaL_Reg shl_stage_methods[];

#endif

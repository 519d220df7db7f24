/* SPDX-License-Identifier: MIT
 *
 * The function by which scripts start stages. */
#ifndef SHL_STAGE_START_H
#define SHL_STAGE_START_H

#include <lauxlib.h>

/* start */
extern const luaL_Reg shl_stage_start_functions[];

#endif

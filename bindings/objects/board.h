/* SPDX-License-Identifier: MIT
 *
 * The progress of the sources of all workers of a host, for the progress line
 * (lua/stagehost/engine/progress.lua). One board for each host; any worker. */
#ifndef SHL_BOARD_H
#define SHL_BOARD_H

#include <lauxlib.h>

struct shl_board;

/* NULL: out of memory. */
struct shl_board *shl_board_new(void);
void shl_board_free(struct shl_board *board);

extern const luaL_Reg shl_board_functions[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * Timers. */
#ifndef SHL_TIMER_H
#define SHL_TIMER_H

#include "state/type.h"

extern const struct shl_type shl_timer_type;
/* send_after, every */
extern const luaL_Reg shl_timer_functions[];

#endif

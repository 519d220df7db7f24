/* SPDX-License-Identifier: MIT
 *
 * The combiner of a stage: functions of a script that reduce its events before they are
 * dispatched. */
#ifndef SHL_COMBINER_H
#define SHL_COMBINER_H

#include <lua.h>

#include "stagehost.h"

/* Reads the table of the option `combine` at `index`. Raises. */
void shl_combine_read(lua_State *L, int index, sh_combine *out);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Stand-ins for the handles of stages and subscriptions, which are only counted. */
#ifndef HANDLE_STAND_INS_H
#define HANDLE_STAND_INS_H

#include <lua.h>

/* Globals of a state: stage(i), subscription(i), and handle_name(handle), the same in any
 * state. */
void open_handles(lua_State *L);
/* A lua_CFunction: references to all handles together. */
int count_handle_refs(lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Making subscriptions, and the methods of one. */
#ifndef SHL_SUBSCRIPTION_H
#define SHL_SUBSCRIPTION_H

#include <lauxlib.h>

extern const luaL_Reg shl_subscription_methods[];
/* subscribe, part, and those methods that scripts also call as functions */
extern const luaL_Reg shl_subscription_functions[];

#endif

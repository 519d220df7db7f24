/* SPDX-License-Identifier: MIT
 *
 * The default hash of events. */
#ifndef SHL_HASH_H
#define SHL_HASH_H

#include <lua.h>

/* hash_events(codes, events, first, last): codes[i] = hash of events[i]. */
int shl_hash_events(lua_State *L);

#endif

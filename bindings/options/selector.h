/* SPDX-License-Identifier: MIT
 *
 * A subscription's `selector`: a Lua function that chooses events of a broadcast. */
#ifndef SHL_SELECTOR_H
#define SHL_SELECTOR_H

#include <lua.h>

#include "stagehost.h"

/* If the option table at `extra_index` has a selector, sets opts->selector. For
 * handle_subscribe on the producer's side, where `other` is the consumer. L belongs to the
 * producer's worker. Raises when out of memory. */
int shl_take_selector(lua_State *L, int extra_index, sh_subscribe_opts *opts);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The module "stagehost.native.cached_read": bytes of a file that are in memory already. */
#ifndef SHL_CACHED_READ_H
#define SHL_CACHED_READ_H

#include <lua.h>

/* Returns the function read(fd, n, offset) -> string | nil: up to n bytes at the offset, or at the
 * position of the descriptor, which goes on, if that is -1. It never waits for a disk: nil, if the
 * system has nothing at hand, at the end of the file, after an error, and where it can't do this.
 * The caller then reads in the usual way, which tells these apart. */
int luaopen_stagehost_native_cached_read(lua_State *L);

#endif

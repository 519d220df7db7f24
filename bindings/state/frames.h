/* SPDX-License-Identifier: MIT
 *
 * Tracebacks of what scripts have raised. */
#ifndef SHL_FRAMES_H
#define SHL_FRAMES_H

#include <lua.h>

/* Pushes the frames of `co` from `level` on, behind the text, which may be NULL. The value at
 * `index` was raised: if it is an error object of the library, the script has made the mistake, and
 * the frames above its own are left out. */
void shl_push_traceback(lua_State *L, int index, lua_State *co, const char *text,
                        int level);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Reasons: why a stage ended, as sh_error and as a value in Lua. */
#ifndef SHL_ERROR_H
#define SHL_ERROR_H

#include <lua.h>
#include <stdbool.h>

#include "stagehost.h"

void shl_error_open(lua_State *L);
/* NULL -> "normal", shutdown -> "shutdown" or { "shutdown", x }, custom -> its string or
 * table, raised and bad_return_value -> an error object (metatable "stagehost.error"). */
void shl_push_reason(lua_State *L, const sh_error *reason);
/* A reason given by a script (nil, string, table, error object) as an sh_error (NULL:
 * normal). */
int shl_to_reason(lua_State *L, int index, sh_error **out);
/* Error object for a callback that failed in `co`; traceback may be NULL. `L` has the error value
 * at index. */
sh_error *shl_error_raised(lua_State *L, int index, lua_State *co, const char *stage,
                           const char *callback, const char *traceback);
/* Error object for a call that failed, from its message with the traceback behind it, as shl_pcall
 * leaves it; NULL: unknown. */
sh_error *shl_error_of_text(const char *callback, const char *text);
/* Pushes the string at `index` as text for people: since a C string ends at its first zero byte,
 * each zero byte becomes "\0", a backslash and a zero. Returns the text, which lives as long as it
 * is on the stack. Raises when out of memory. */
const char *shl_push_c_text(lua_State *L, int index);
/* Pushes the text of an error value of any type like shl_push_c_text, even if its __tostring
 * fails. */
void shl_push_error_text(lua_State *L, int index);
/* Whether the value at `index` is an error object. */
bool shl_is_error_object(lua_State *L, int index);
/* Pushes the text of the value at `index`, which `co` has raised, whose frames are still there:
 * like shl_push_error_text, but of nil it says where it was raised, and of a global that is nil on
 * another worker why. */
void shl_push_raised_text(lua_State *L, int index, lua_State *co);
/* Whether a frame, of which `S` is known, runs code of the library in Lua. */
bool shl_is_of_library(const lua_Debug *ar);
/* Pushes "stage<x>: handle_events: message". */
void shl_push_sentence(lua_State *L, const sh_error *error);
/* Pushes nil, message, reason, the results of an expected failure; returns their count, 3. */
int shl_return_failure(lua_State *L, int status, const sh_error *error);

#endif

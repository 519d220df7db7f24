/* SPDX-License-Identifier: MIT
 *
 * Lua values as bytes, for crossing from one worker's Lua state to another. */
#ifndef SHL_TRANSFER_H
#define SHL_TRANSFER_H

#include <lauxlib.h>
#include <lua.h>

#include "stagehost.h"

/* Prepares a worker's state: the string.buffer objects and helpers are kept in its registry. Pushes nothing.
 * Called once per state, protected. */
int shl_transfer_open(lua_State *L);

/* Events first+1 .. first+n of the list (table) on top of L (left there) as bytes. Events are plain data: nil, booleans,
 * numbers, strings, tables of these (a table may stand in several places; cycles are an error), and stage or subscription
 * handles at any depth. On failure SH_EFAILED and *error whose message names the place
 * ("event 3, field \"callback\": a function can't cross to another worker"). Handles in a parcel
 * hold a reference until parcel->free. */
int shl_encode_events(lua_State *L, uint32_t first, uint32_t n, sh_parcel *out,
                      sh_error **error);
/* Pushes the list and sets *n. Nothing is pushed on failure. */
int shl_decode_events(lua_State *L, const sh_parcel *parcel, uint32_t *n, sh_error **error);

/* One value (top of L, left there) that may also hold functions and cyclic tables: a stage definition with its args. Functions
 * travel as bytecode with their upvalues copied (shared and cyclic ones kept as such); what belongs to the
 * standard library or a required module travels by name. *error names the upvalue that can't travel. */
int shl_encode_value(lua_State *L, sh_parcel *out, sh_error **error);
int shl_decode_value(lua_State *L, const sh_parcel *parcel, sh_error **error); /* pushes one value */

#endif

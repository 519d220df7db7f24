/* SPDX-License-Identifier: MIT
 *
 * Lua values as bytes, for crossing from one worker's Lua state to another. */
#ifndef SHL_TRANSFER_H
#define SHL_TRANSFER_H

#include <lauxlib.h>
#include <lua.h>

#include "stagehost.h"

/* Prepares a worker's state, once. Raises; pushes nothing. Call it when the host has put all
 * its functions into the standard library and _G, and before any script runs: functions that
 * are there now travel by name, later ones by value. */
int shl_transfer_open(lua_State *L);
/* Tells the coder that the host has replaced a function there since. Raises. */
void shl_transfer_note_library(lua_State *L);

/* All functions below fail with SH_ENOMEM or SH_EFAILED and *error (the caller's); they raise
 * nothing, and on failure push nothing. Handles in a parcel hold a reference until parcel->free. */

/* Encodes events first+1 .. first+n of the list (table) on top of L (left there). Events are
 * plain data: nil, booleans, numbers (64-bit integers and complex ones, too), strings, light
 * userdata, tables of these, and stage or subscription handles at any depth. A table in
 * several places arrives as several copies or as one; a table that contains itself is an
 * error. Metatables are dropped, except that of errors. The message names the place in the
 * list: "event 3, field \"callback\": a function can't cross to another worker". */
int shl_encode_events(lua_State *L, uint32_t first, uint32_t n, sh_parcel *out,
                      sh_error **error);
/* Pushes the list and sets *n. */
int shl_decode_events(lua_State *L, const sh_parcel *parcel, uint32_t *n, sh_error **error);

/* Encodes one value (top of L, left there) that may also hold functions, cyclic tables and
 * metatables: a stage definition with its args. Functions travel as bytecode with their
 * upvalues copied (shared and cyclic ones kept as such) and see the globals of the target;
 * functions of the standard library or of a required module travel by name, and the module
 * is loaded on the target. The message names the path to the value: "handle_events: upvalue
 * \"file\": a userdata can't travel to ...". */
int shl_encode_value(lua_State *L, sh_parcel *out, sh_error **error);
/* Encodes what a start takes along, a table { definition, args, options }, like shl_encode_value.
 * The form of a definition that is started again and again is kept as long as nothing in it
 * changes. */
int shl_encode_start(lua_State *L, sh_parcel *out, sh_error **error);
/* Pushes the value, or the table of a start. */
int shl_decode_value(lua_State *L, const sh_parcel *parcel, sh_error **error);

#endif

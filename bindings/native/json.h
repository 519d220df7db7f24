/* SPDX-License-Identifier: MIT
 *
 * The module "stagehost.native.json": JSON texts become Lua values and Lua values become
 * JSON texts, exactly. The Lua module stagehost.codec.json is its only user.
 *
 *   json.c           the module
 *   json_decode.c    reads values, lists and maps           json_reader.h  shared by these
 *   json_number.c    reads numbers                          json_scan.h    scans strings
 *   json_string.c    reads strings
 *   json_encode.c    walks through a value                  json_writer.h  shared by these
 *   json_write.c     writes the text */
#ifndef SHL_NATIVE_JSON_H
#define SHL_NATIVE_JSON_H

#include <lauxlib.h>

/* How deep lists and maps may be nested in one another. */
enum { SHL_JSON_MAX_DEPTH = 1000 };

/* The options of a call are a sum: one of each group. 0 is the default. */
enum shl_json_option {
    /* An integer beyond 2^53 is an error, a boxed 64-bit integer, or a string. */
    SHL_JSON_BIG_ERROR = 0,
    SHL_JSON_BIG_INT64 = 1,
    SHL_JSON_BIG_STRING = 2,
    SHL_JSON_BIG_MASK = 3,
    /* Invalid UTF-8 in a string is an error, is replaced by U+FFFD, or is kept as it is. */
    SHL_JSON_UTF8_ERROR = 0,
    SHL_JSON_UTF8_REPLACE = 4,
    SHL_JSON_UTF8_KEEP = 8,
    SHL_JSON_UTF8_MASK = 12,
};

/* decode(text, options) returns the value; or nil, a message, and the position in the text.
 * Its upvalue is `box` of json.c. */
int shl_json_decode(lua_State *L);
/* encode(value, options) returns the text; or nil and a message. Its upvalues are `unbox`
 * of json.c, and the buffer of the last call or nil. */
int shl_json_encode(lua_State *L);

int luaopen_stagehost_native_json(lua_State *L);

#endif

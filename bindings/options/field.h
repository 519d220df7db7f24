/* SPDX-License-Identifier: MIT
 *
 * Fields of option tables, which lua/ has checked. */
#ifndef SHL_FIELD_H
#define SHL_FIELD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* The index of the word at `key` of the table at `index`; 0 if there is none. `words` ends with
 * NULL. Raises if the word is not among them. */
int shl_word_field(lua_State *L, int index, const char *key, const char *const *words);
/* 0 if there is none. */
int64_t shl_integer_field(lua_State *L, int index, const char *key);
/* False if there is none. */
bool shl_boolean_field(lua_State *L, int index, const char *key);

#endif

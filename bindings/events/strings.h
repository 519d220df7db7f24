/* SPDX-License-Identifier: MIT
 *
 * Packed strings in Lua: as the table of strings that callbacks get, and as an object for callbacks
 * of stages with `packed = true` and for functions written in C. */
#ifndef SHL_STRINGS_H
#define SHL_STRINGS_H

#include "state/context.h"
#include "state/type.h"

/* `stagehost.strings`: strings [first, first + n) of a block. */
struct shl_strings {
    struct shl_object base;
    sh_strings *block; /* one reference; NULL once finalised, and before it is filled */
    uint32_t first, n;
};

extern const struct shl_type shl_strings_type;

/* Pushes an object without strings, for its maker to fill. It comes first: when making a block has
 * succeeded, nothing can raise any more. */
struct shl_strings *shl_strings_push(lua_State *L);
/* Gives the object on top, which has no strings yet, all strings of a block, of which it takes
 * the reference; `block` NULL raises an error. The collector is driven on, because it knows the
 * size of the object only: many times as many bytes as the Lua heap has would be held by objects
 * that nobody uses any more. */
void shl_strings_fill(lua_State *L, struct shl_strings *strings, sh_strings *block);
/* Pushes an object with the strings of a batch of packed strings, of which it takes a reference. */
void shl_strings_push_batch(lua_State *L, sh_batch batch);
/* The object at `index`, NULL if there is none or it is finalised. */
struct shl_strings *shl_strings_test(lua_State *L, int index);
/* Like shl_strings_test, but raises instead of returning NULL. */
struct shl_strings *shl_strings_check(lua_State *L, int index);
sh_strings_view shl_strings_see(const struct shl_strings *strings);
/* An owned batch of the strings. SH_ENOMEM. */
int shl_strings_batch(const struct shl_strings *strings, sh_batch *out);

/* The Lua function pack(list): a packed list of the strings of a table. */
int shl_strings_pack(lua_State *L);

/* Makes a block of events first + 1 .. first + n of the table at `index`, with n > 0. *out is NULL
 * if they are not all strings, or there is no memory. Raises; *out is the caller's then, too. */
void shl_strings_try_pack(lua_State *L, int index, uint32_t first, uint32_t n,
                          sh_strings **out);

/* Pushes a table of the strings of a view. */
void shl_strings_push_table(lua_State *L, sh_strings_view view);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Sets of bytes, as patterns of Lua 5.1 write them. */
#ifndef SH_BYTE_SET_H
#define SH_BYTE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sh__byte_set {
    uint64_t words[4];
};

static inline bool sh__byte_set_has(const struct sh__byte_set *set, unsigned byte)
{
    return set->words[byte >> 6] >> (byte & 63) & 1;
}

/* The number of bytes in it. */
unsigned sh__byte_set_n(const struct sh__byte_set *set);
struct sh__byte_set sh__byte_set_invert(struct sh__byte_set set);

/* What "%c" stands for: the bytes of a class, or c itself. */
struct sh__byte_set sh__byte_set_of_class(unsigned char c);
/* The bytes of a set in brackets. `first` is behind the "[", `last` at the "]" that ends it. */
struct sh__byte_set sh__byte_set_of_brackets(const char *first, const char *last);

#endif

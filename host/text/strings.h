/* SPDX-License-Identifier: MIT
 *
 * Packed strings beyond the public header. */
#ifndef SH_STRINGS_H
#define SH_STRINGS_H

#include <stdatomic.h>

#include "stagehost/strings.h"

/* A block has its places behind it, and then its bytes unless they are another block's. */
struct sh_strings {
    atomic_uint refs;
    uint32_t n;
    sh_strings *owner; /* of the bytes, with one reference; NULL: this block */
    const char *bytes;
    uint64_t own;  /* sum of the lengths of the strings */
    uint64_t held; /* the memory that a reference to this block keeps alive */
    sh_span spans[];
};

/* The sum of the lengths of n strings. */
static inline uint64_t sh__spans_sum(const sh_span *spans, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += spans[i].len;
    return sum;
}

/* Joins strings of several blocks in order; all parts are packed strings. Their bytes are copied,
 * unless all have theirs in the same block. NULL: out of memory, or too many bytes. */
sh_strings *sh__strings_join(const sh_batch *parts, size_t n_parts);
/* The strings whose place[i] is p, for each p < n_parts: parts[p] becomes an owned batch. They have
 * their bytes in the block of `in`. SH_ENOMEM: nothing was made. */
int sh__strings_deal(sh_batch in, const uint32_t *place, size_t n_parts, sh_batch *parts);

#endif

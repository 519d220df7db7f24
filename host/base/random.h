/* SPDX-License-Identifier: MIT
 *
 * Pseudo random numbers, good enough to shuffle: xorshift64*. */
#ifndef SH_RANDOM_H
#define SH_RANDOM_H

#include <stdint.h>

/* A seed for a generator that was given none. */
#define SH__RANDOM_SEED UINT64_C(0x9e3779b97f4a7c15)

/* The next number. *state is the generator; never 0. */
static inline uint64_t sh__random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * Hashes by value: equal values have equal hashes, on every worker, in every run and on every
 * machine, whether they are C values or Lua values. Not for keys that an attacker chooses. */
#ifndef STAGEHOST_HASH_H
#define STAGEHOST_HASH_H

#include "stagehost/events.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All functions of this header: any thread. */

/* The hash of a string. `data` may be NULL if len is 0. */
uint64_t sh_hash_bytes(const void *data, size_t len);
uint64_t sh_hash_boolean(bool value);
/* Numbers are hashed by their value, whatever their type: 1 and 1.0 are equal, so are 0 and -0;
 * NaN is one value. */
uint64_t sh_hash_integer(int64_t value);
uint64_t sh_hash_unsigned(uint64_t value);
uint64_t sh_hash_number(double value);

/* The hash of a map, or of a list as a map with the keys 1 .. n: add up sh_hash_pair() of its
 * pairs in any order, then pass the sum to sh_hash_pairs(). Pairs with a nil value do not count. */
uint64_t sh_hash_pair(uint64_t key, uint64_t value);
uint64_t sh_hash_pairs(uint64_t sum);

/* Of a C value; a pointer is hashed by its address, which has a meaning in this process only. */
uint64_t sh_hash_value(const sh_value *value);

/* The place, 0 .. n - 1, that a hash belongs to; n >= 1. */
uint32_t sh_hash_place(uint64_t hash, uint32_t n);

#ifdef __cplusplus
}
#endif
#endif

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

/* Of a string. `data` may be NULL if len is 0. */
uint64_t sh_hash_bytes(const void *data, size_t len);
uint64_t sh_hash_boolean(bool value);
/* Numbers are hashed by their value, whatever their type: 1 and 1.0 are equal, so are 0 and -0;
 * NaN is one value. */
uint64_t sh_hash_integer(int64_t value);
uint64_t sh_hash_unsigned(uint64_t value);
uint64_t sh_hash_number(double value);

/* A map, or a list as the map of its places from 1 on: sum the pairs up in any order, then close
 * the sum. Items and values that are nil do not count. */
uint64_t sh_hash_pair(uint64_t key, uint64_t value);
uint64_t sh_hash_pairs(uint64_t sum);

/* Of a C value; a pointer is hashed by its address, which tells something in this process only. */
uint64_t sh_hash_value(const sh_value *value);

/* Which of n >= 1 places a hash belongs to: 0 .. n - 1. */
uint32_t sh_hash_place(uint64_t hash, uint32_t n);

#ifdef __cplusplus
}
#endif
#endif

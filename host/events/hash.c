/* SPDX-License-Identifier: MIT
 *
 * The results of these functions are part of the interface: partitions of two producers, of two
 * runs or of two machines match only as long as nothing here changes. */
#include "stagehost/hash.h"

#include <math.h>
#include <string.h>

/* Odd, with as many ones as zeros in every part. */
static const uint64_t multiplier = UINT64_C(0xd6e8feb86659fd93);

/* These constants distinguish values of different types that would look the same. */
static const uint64_t of_string = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t of_integer = UINT64_C(0xc2b2ae3d27d4eb4f);
static const uint64_t of_unsigned = UINT64_C(0xe7037ed1a0b428db);
static const uint64_t of_fraction = UINT64_C(0x165667b19e3779f9);
static const uint64_t of_boolean = UINT64_C(0x27d4eb2f165667c5);
static const uint64_t of_pairs = UINT64_C(0x85ebca77c2b2ae63);
static const uint64_t of_pointer = UINT64_C(0xa0761d6478bd642f);

/* Adds one more word of a string. For a given word this is a bijection, too. */
static uint64_t add_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * multiplier;
    return hash ^ hash >> 32;
}

/* A bijection in which every bit of the argument flips every bit of the result in half of all
 * cases. */
static uint64_t mix(uint64_t hash)
{
    return add_word(add_word(hash ^ hash >> 32, 0), 0);
}

/* n bytes as a number, the first one lowest, on any machine; for a constant n one instruction. */
static inline uint64_t load(const unsigned char *bytes, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

/* Does so with 1 .. 7 bytes, whose number cannot be foreseen, without a loop: their parts may
 * overlap. */
static uint64_t load_rest(const unsigned char *bytes, size_t n)
{
    if (n >= 4)
        return load(bytes, 4) | load(bytes + n - 4, 4) << (8 * (n - 4));
    return bytes[0] | (uint64_t)bytes[n / 2] << (8 * (n / 2)) |
           (uint64_t)bytes[n - 1] << (8 * (n - 1));
}

uint64_t sh_hash_bytes(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t hash = of_string * (len + 1);
    for (; len >= 8; bytes += 8, len -= 8)
        hash = add_word(hash, load(bytes, 8));
    if (len > 0)
        hash = add_word(hash, load_rest(bytes, len));
    return add_word(add_word(hash, 0), 0);
}

uint64_t sh_hash_boolean(bool value)
{
    return mix(of_boolean + value);
}

uint64_t sh_hash_integer(int64_t value)
{
    return mix((uint64_t)value ^ of_integer);
}

uint64_t sh_hash_unsigned(uint64_t value)
{
    return value <= INT64_MAX ? sh_hash_integer((int64_t)value) : mix(value ^ of_unsigned);
}

uint64_t sh_hash_number(double value)
{
    if (value >= -0x1p63 && value < 0x1p63 && (double)(int64_t)value == value)
        return sh_hash_integer((int64_t)value);
    if (value >= 0x1p63 && value < 0x1p64)
        return sh_hash_unsigned((uint64_t)value);
    uint64_t bits = 0;
    if (!isnan(value))
        memcpy(&bits, &value, sizeof bits);
    return mix(bits ^ of_fraction);
}

uint64_t sh_hash_pair(uint64_t key, uint64_t value)
{
    return mix(key * of_string + value);
}

uint64_t sh_hash_pairs(uint64_t sum)
{
    return mix(sum + of_pairs);
}

static uint64_t hash_list(const sh_value *items, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        if (items[i].type != SH_NIL)
            sum += sh_hash_pair(sh_hash_integer((int64_t)i + 1), sh_hash_value(&items[i]));
    return sh_hash_pairs(sum);
}

static uint64_t hash_map(const sh_value *items, size_t n)
{
    uint64_t sum = 0;
    for (const sh_value *key = items; key < items + 2 * n; key += 2)
        if (key[1].type != SH_NIL)
            sum += sh_hash_pair(sh_hash_value(&key[0]), sh_hash_value(&key[1]));
    return sh_hash_pairs(sum);
}

uint64_t sh_hash_value(const sh_value *value)
{
    switch (value->type) {
    case SH_NIL:
        return mix(0);
    case SH_BOOLEAN:
        return sh_hash_boolean(value->u.boolean);
    case SH_INTEGER:
        return sh_hash_integer(value->u.integer);
    case SH_NUMBER:
        return sh_hash_number(value->u.number);
    case SH_STRING:
        return sh_hash_bytes(value->u.string.data, value->u.string.len);
    case SH_POINTER:
        return mix((uint64_t)(uintptr_t)value->u.pointer.data ^ of_pointer);
    case SH_LIST:
        return hash_list(value->u.list.items, value->u.list.n);
    case SH_MAP:
        return hash_map(value->u.map.items, value->u.map.n);
    }
    return 0;
}

uint32_t sh_hash_place(uint64_t hash, uint32_t n)
{
    return (uint32_t)((hash >> 32) * n >> 32);
}

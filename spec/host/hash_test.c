/* SPDX-License-Identifier: MIT */
#include "stagehost/hash.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static uint64_t of_text(const char *text)
{
    return sh_hash_bytes(text, strlen(text));
}

static void check_equal(uint64_t one, uint64_t other)
{
    CHECK_INT((int64_t)one, (int64_t)other);
}

/* Partitions of other runs, releases and machines must go on fitting ours. */
static void test_values_stay(void)
{
    check_equal(of_text(""), UINT64_C(0x873e6848283318eb));
    check_equal(of_text("customer 17"), UINT64_C(0x9244b738ee510652));
    uint64_t sum = 0;
    for (size_t n = 1; n <= 7; n++)
        sum = sum * 31 + sh_hash_bytes("\200bcdefg", n);
    check_equal(sum, UINT64_C(0xd4b5325e45de9c9c));
    check_equal(sh_hash_integer(1), UINT64_C(0xb4d26cb15ec3f500));
    check_equal(sh_hash_number(0.5), UINT64_C(0x228df6a6c44b2fdf));
    check_equal(sh_hash_boolean(true), UINT64_C(0xac2bd2a5759c0981));
    check_equal(sh_hash_pairs(sh_hash_pair(sh_hash_integer(1), of_text("a"))),
                UINT64_C(0xcf293887890ffc03));
}

static void test_numbers_are_equal_by_value(void)
{
    for (int64_t i = -1000; i <= 1000; i++)
        check_equal(sh_hash_number((double)i), sh_hash_integer(i));
    check_equal(sh_hash_number(-0.0), sh_hash_integer(0));
    check_equal(sh_hash_number(0x1p53), sh_hash_integer(INT64_C(1) << 53));
    check_equal(sh_hash_number(-0x1p63), sh_hash_integer(INT64_MIN));
    check_equal(sh_hash_number(0x1p63), sh_hash_unsigned(UINT64_C(1) << 63));
    check_equal(sh_hash_unsigned(17), sh_hash_integer(17));
    CHECK(sh_hash_unsigned(UINT64_MAX) != sh_hash_unsigned(UINT64_MAX - 1));
    check_equal(sh_hash_number(NAN), sh_hash_number(-NAN));
    CHECK(sh_hash_integer((INT64_C(1) << 53) + 1) != sh_hash_integer(INT64_C(1) << 53));
    CHECK(sh_hash_number(0x1p63) != sh_hash_number(0x1p64));
    CHECK(sh_hash_number(HUGE_VAL) != sh_hash_number(-HUGE_VAL));
    CHECK(sh_hash_number(0.1) != sh_hash_number(0.2));
}

static void test_bytes(void)
{
    char data[80];
    memset(data, 'x', sizeof data);
    for (size_t len = 0; len < 64; len++) { /* wherever they stand */
        uint64_t hash = sh_hash_bytes(data, len);
        for (size_t at = 1; at < 16; at++) {
            check_equal(sh_hash_bytes(data + at, len), hash);
        }
        CHECK(sh_hash_bytes(data, len + 1) != hash);
    }
    check_equal(sh_hash_bytes(NULL, 0), of_text(""));
    CHECK(sh_hash_bytes("a\0", 2) != of_text("a"));
    CHECK(sh_hash_bytes("\0\0", 2) != sh_hash_bytes("\0", 1));
    CHECK(of_text("1") != sh_hash_integer(1));
}

static sh_value text(const char *data)
{
    return (sh_value){.type = SH_STRING, .u.string = {data, strlen(data)}};
}

static sh_value integer(int64_t value)
{
    return (sh_value){.type = SH_INTEGER, .u.integer = value};
}

static void test_values(void)
{
    sh_value one[] = {text("id"), integer(1), text("name"), text("x")};
    sh_value turned[] = {one[2], one[3], one[0], one[1]};
    sh_value nil[] = {one[0], one[1], one[2], one[3], text("no"), {.type = SH_NIL}};
    sh_value map = {.type = SH_MAP, .u.map = {one, 2}};
    uint64_t hash = sh_hash_value(&map);
    check_equal(sh_hash_value(&(sh_value){.type = SH_MAP, .u.map = {turned, 2}}), hash);
    check_equal(sh_hash_value(&(sh_value){.type = SH_MAP, .u.map = {nil, 3}}), hash);

    /* A list is the map of its places. */
    sh_value items[] = {integer(7), text("b")};
    sh_value places[] = {integer(1), integer(7), integer(2), text("b")};
    sh_value list = {.type = SH_LIST, .u.list = {items, 2}};
    hash = sh_hash_value(&list);
    check_equal(sh_hash_value(&(sh_value){.type = SH_MAP, .u.map = {places, 2}}), hash);
    sh_value swapped[] = {items[1], items[0]};
    CHECK(sh_hash_value(&(sh_value){.type = SH_LIST, .u.list = {swapped, 2}}) != hash);
    sh_value nested = {.type = SH_LIST, .u.list = {&list, 1}};
    CHECK(sh_hash_value(&nested) != hash);
}

/* Turning one bit of a value turns each bit of its hash in about half of all cases. */
static void check_avalanche(const char *what, uint64_t (*hash)(uint64_t word, void *data),
                            void *data)
{
    enum { SAMPLES = 2000 };
    struct test_random random = test_random_seed(1);
    int worst = SAMPLES / 2;
    for (int bit = 0; bit < 64; bit++) {
        int turned[64] = {0};
        for (int i = 0; i < SAMPLES; i++) {
            uint64_t word = (uint64_t)test_random_below(&random, UINT32_MAX) << 32;
            word |= test_random_below(&random, UINT32_MAX);
            uint64_t change = hash(word, data) ^ hash(word ^ UINT64_C(1) << bit, data);
            for (int b = 0; b < 64; b++)
                turned[b] += (int)(change >> b & 1);
        }
        for (int b = 0; b < 64; b++)
            if (abs(turned[b] - SAMPLES / 2) > abs(worst - SAMPLES / 2))
                worst = turned[b];
    }
    if (!CHECK(worst > SAMPLES * 42 / 100 && worst < SAMPLES * 58 / 100))
        printf("  %s: %d of %d\n", what, worst, SAMPLES);
}

static uint64_t hash_integer(uint64_t word, void *data)
{
    (void)data;
    return sh_hash_integer((int64_t)word);
}

/* The word stands at *data in a string of 24 bytes. */
static uint64_t hash_string(uint64_t word, void *data)
{
    char bytes[24] = "the same at both ends..";
    memcpy(bytes + *(size_t *)data, &word, sizeof word);
    return sh_hash_bytes(bytes, sizeof bytes);
}

static uint64_t hash_key(uint64_t word, void *data)
{
    (void)data;
    return sh_hash_pairs(sh_hash_pair(word, 5) + sh_hash_pair(3, 4));
}

static void test_avalanche(void)
{
    check_avalanche("integers", hash_integer, NULL);
    for (size_t at = 0; at <= 16; at += 4)
        check_avalanche("strings", hash_string, &at);
    check_avalanche("keys", hash_key, NULL);
}

static void check_spread(const int *counts, int n, int total)
{
    for (int i = 0; i < n; i++)
        CHECK(counts[i] > total / n * 85 / 100 && counts[i] < total / n * 115 / 100);
}

/* Whatever is counted, by whatever step, and written out. */
static void test_spread(void)
{
    enum { TOTAL = 80000 };
    static const int64_t steps[] = {1, 2, 4, 8, 10, 1000, 65536, INT64_C(1) << 32};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        for (int n = 2; n <= 20; n += 3) {
            int integers[20] = {0}, texts[20] = {0};
            for (int i = 0; i < TOTAL; i++) {
                char name[32];
                int64_t number = i * steps[s];
                int len = snprintf(name, sizeof name, "user%" PRId64, number);
                integers[sh_hash_place(sh_hash_integer(number), (uint32_t)n)]++;
                texts[sh_hash_place(sh_hash_bytes(name, (size_t)len), (uint32_t)n)]++;
            }
            check_spread(integers, n, TOTAL);
            check_spread(texts, n, TOTAL);
        }
    }
}

static void test_places(void)
{
    CHECK_INT(sh_hash_place(UINT64_MAX, 1), 0);
    CHECK_INT(sh_hash_place(UINT64_MAX, UINT32_MAX), UINT32_MAX - 1);
    CHECK_INT(sh_hash_place(0, UINT32_MAX), 0);
}

int main(void)
{
    test_values_stay();
    test_numbers_are_equal_by_value();
    test_bytes();
    test_values();
    test_avalanche();
    test_spread();
    test_places();
    return test_end();
}

/* SPDX-License-Identifier: MIT
 *
 * Checks for specs written in C. A failed check prints both values and its place, and the
 * program goes on; the last line of a program says how many checks passed and failed. */
#ifndef SPEC_TEST_H
#define SPEC_TEST_H

#include <stdbool.h>
#include <stdint.h>

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected)                                                        \
    test_check_int((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected)                                                       \
    test_check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_POINTER(actual, expected)                                                    \
    test_check_pointer((actual), (expected), #actual, __FILE__, __LINE__)

/* All return whether the check passed. */
bool test_check(bool passed, const char *what, const char *file, int line);
bool test_check_int(int64_t actual, int64_t expected, const char *what, const char *file,
                    int line);
bool test_check_text(const char *actual, const char *expected, const char *what,
                     const char *file, int line);
bool test_check_pointer(const void *actual, const void *expected, const char *what,
                        const char *file, int line);

/* Prints the last line, and returns the exit status for main. */
int test_end(void);

/* Pseudo-random numbers for model tests: the same seed gives the same run. */
struct test_random {
    uint64_t state;
};
struct test_random test_random_seed(uint64_t seed);
/* 0 .. bound - 1 */
uint32_t test_random_below(struct test_random *random, uint32_t bound);
/* How many seeds a model test runs: $STAGEHOST_SEEDS, or `usual`. */
uint64_t test_seeds(uint64_t usual);

#endif

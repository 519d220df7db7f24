/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int n_passed, n_failed; /* engines check on several threads */

static bool count(bool passed)
{
    if (passed)
        n_passed++;
    else
        n_failed++;
    return passed;
}

bool test_check(bool passed, const char *what, const char *file, int line)
{
    if (!passed)
        printf("%s:%d: failed: %s\n", file, line, what);
    return count(passed);
}

bool test_check_int(int64_t actual, int64_t expected, const char *what, const char *file,
                    int line)
{
    if (actual != expected)
        printf("%s:%d: %s is %" PRId64 ", expected %" PRId64 "\n", file, line, what, actual,
               expected);
    return count(actual == expected);
}

bool test_check_text(const char *actual, const char *expected, const char *what,
                     const char *file, int line)
{
    bool passed = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    if (!passed)
        printf("%s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what,
               actual ? actual : "(null)", expected ? expected : "(null)");
    return count(passed);
}

bool test_check_pointer(const void *actual, const void *expected, const char *what,
                        const char *file, int line)
{
    if (actual != expected)
        printf("%s:%d: %s is %p, expected %p\n", file, line, what, (void *)actual,
               (void *)expected);
    return count(actual == expected);
}

int test_end(void)
{
    printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed > 0;
}

struct test_random test_random_seed(uint64_t seed)
{
    return (struct test_random){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

uint32_t test_random_below(struct test_random *random, uint32_t bound)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    uint64_t high = (random->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
    return (uint32_t)(high * bound >> 32);
}

uint64_t test_seeds(uint64_t usual)
{
    const char *given = getenv("STAGEHOST_SEEDS");
    uint64_t n = given ? strtoull(given, NULL, 10) : 0;
    return n > 0 ? n : usual;
}

/* SPDX-License-Identifier: MIT
 *
 * Counts of keys, against an array. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "stagehost.h"
#include "stagehost/text.h"
#include "test.h"
#include "text_rig.h"

static void add(sh_counts *counts, const char *strings, const sh_field *field)
{
    sh_strings *block = rig_block(strings);
    CHECK_INT(sh_counts_add(counts, sh_strings_see(block), field), SH_OK);
    sh_strings_unref(block);
}

/* "a=2 b=1 " in order. */
static const char *text_of(const sh_counts *counts)
{
    static char text[1000];
    int len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < sh_counts_n(counts); i++) {
        sh_count count = sh_counts_at(counts, i);
        len += snprintf(text + len, sizeof text - (size_t)len, "%.*s=%d ", (int)count.len,
                        count.key, (int)count.n);
    }
    return text;
}

static void test_counts(void)
{
    sh_counts *counts = sh_counts_new(), *others = sh_counts_new();
    sh_field whole = {0}, second = {2, ",", 1};
    CHECK_TEXT(text_of(counts), "");
    add(counts, "b|a||b|ab", &whole);
    CHECK_TEXT(text_of(counts), "b=2 a=1 =1 ab=1 ");
    add(counts, "x,b|x,new|x", &second);
    CHECK_TEXT(text_of(counts), "b=3 a=1 =2 ab=1 new=1 ");
    add(others, "a|a|more", &whole);
    CHECK_INT(sh_counts_merge(counts, others), SH_OK);
    CHECK_TEXT(text_of(counts), "b=3 a=3 =2 ab=1 new=1 more=1 ");
    CHECK_TEXT(text_of(others), "a=2 more=1 ");
    CHECK_INT(sh_counts_merge(others, others), SH_OK);
    CHECK_TEXT(text_of(others), "a=4 more=2 ");
    sh_counts_free(counts);
    sh_counts_free(others);
    sh_counts_free(NULL);
}

static void test_random(uint64_t seed)
{
    enum { KEYS = 5000 };
    struct test_random random = test_random_seed(seed);
    static uint64_t expected[KEYS];
    uint64_t n_expected = 0, n_actual = 0;
    uint32_t range = 1 + test_random_below(&random, KEYS);
    sh_counts *counts = sh_counts_new();
    sh_field whole = {0};
    memset(expected, 0, sizeof expected);
    for (int i = 0; i < 10000; i++) {
        char key[16];
        uint32_t k = test_random_below(&random, range);
        sh_span span = {0, (uint32_t)snprintf(key, sizeof key, "%x", (unsigned)k * 977)};
        CHECK_INT(sh_counts_add(counts, (sh_strings_view){key, &span, 1}, &whole), SH_OK);
        n_expected += expected[k]++ == 0;
    }
    CHECK_INT(sh_counts_n(counts), n_expected);
    for (uint32_t i = 0; i < sh_counts_n(counts); i++) {
        sh_count count = sh_counts_at(counts, i);
        char key[16] = "";
        unsigned k;
        memcpy(key, count.key, count.len);
        CHECK_INT(sscanf(key, "%x", &k), 1);
        CHECK_INT(count.n, expected[k / 977]);
        n_actual += count.n;
    }
    CHECK_INT(n_actual, 10000);
    sh_counts_free(counts);
}

/* Whatever has failed, a key that was counted stays counted. */
static void test_out_of_memory(void)
{
    sh_field whole = {0};
    sh__alloc_fail_nth(1);
    CHECK_POINTER(sh_counts_new(), NULL);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        sh_counts *counts = sh_counts_new();
        uint32_t n = 0;
        int status = SH_OK;
        sh__alloc_fail_nth(nth);
        for (; n < 2000 && status == SH_OK; n++) {
            char key[16];
            sh_span span = {0, (uint32_t)snprintf(key, sizeof key, "%u", (unsigned)n)};
            status = sh_counts_add(counts, (sh_strings_view){key, &span, 1}, &whole);
        }
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK_INT(sh_counts_n(counts), failed ? n - 1 : n);
        add(counts, "0|last", &whole);
        CHECK_INT(sh_counts_at(counts, 0).n, n > 1 ? 2 : 1);
        CHECK_INT(sh_counts_at(counts, sh_counts_n(counts) - 1).n, 1);
        sh_counts_free(counts);
    }
}

int main(void)
{
    test_counts();
    test_out_of_memory();
    uint64_t seeds = test_seeds(20);
    for (uint64_t seed = 1; seed <= seeds; seed++)
        test_random(seed);
    return test_end();
}

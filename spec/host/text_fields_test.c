/* SPDX-License-Identifier: MIT
 *
 * Fields of strings: by a separator, by white space; one of them, or all. */
#include <string.h>

#include "base/alloc.h"
#include "stagehost.h"
#include "stagehost/hash.h"
#include "stagehost/text.h"
#include "test.h"
#include "text_rig.h"

static sh_field by(const char *separator, uint32_t nth)
{
    return (sh_field){nth, separator, separator ? strlen(separator) : 0};
}

static const char *field(const char *strings, const char *separator, uint32_t nth)
{
    sh_strings *block = rig_block(strings);
    sh_field of = by(separator, nth);
    sh_strings *out = sh_text_field(block, sh_strings_see(block), &of);
    sh_strings_unref(block);
    return rig_text(out);
}

static const char *split(const char *strings, const char *separator, uint32_t nth)
{
    sh_strings *block = rig_block(strings);
    sh_field of = by(separator, nth);
    sh_strings *out = sh_text_split(block, sh_strings_see(block), &of);
    sh_strings_unref(block);
    return rig_text(out);
}

static void test_field(void)
{
    CHECK_TEXT(field("a,b,c|d,e||,,f", ",", 1), "a|d|||");
    CHECK_TEXT(field("a,b,c|d,e||,,f", ",", 2), "b|e|||");
    CHECK_TEXT(field("a,b,c|d,e||,,f", ",", 3), "c|||f|");
    CHECK_TEXT(field("a::b:c|:::", "::", 2), "b:c|:|");
    CHECK_TEXT(field("a,b|", ",", 0), "a,b||");
    CHECK_TEXT(field(" a  b\tc \v\f\r\n|d| \t |", NULL, 1), "a|d|||");
    CHECK_TEXT(field(" a  b\tc \v\f\r\n|d| \t |", "", 3), "c||||");
    CHECK_TEXT(field(" a  b\tc \v\f\r\n|d| \t |", NULL, 4), "||||");
    CHECK_TEXT(field("a,b", ",", UINT32_MAX), "|");
}

static void test_split(void)
{
    CHECK_TEXT(split("a,b,c|d||,,f", ",", 0), "a|b|c|d||||f|");
    CHECK_TEXT(split("one  two| three|", NULL, 0), "one|two|three|");
    CHECK_TEXT(split("", NULL, 0), "");
    CHECK_TEXT(split("a,b|c|d,", ",", 2), "b||");
    CHECK_TEXT(split("a b|c| d e ", NULL, 2), "b|e|");
}

/* Fields of a range, of strings that are themselves fields. */
static void test_of_derived(void)
{
    sh_strings *block = rig_block("k=1,l=2|m=3,n=4"), *fields, *values;
    sh_field commas = by(",", 0), values_of = by("=", 2);
    fields = sh_text_split(block, sh_strings_see(block), &commas);
    sh_strings_unref(block);
    sh_strings_view view = sh_strings_see(fields);
    view.spans++;
    view.n -= 2;
    values = sh_text_field(fields, view, &values_of);
    sh_strings_unref(fields);
    CHECK_TEXT(rig_text(values), "2|3|");
}

static void test_hash(void)
{
    sh_strings *block = rig_block("a,x|b,x|a,y|");
    uint32_t places[4];
    sh_field second = by(",", 2), whole = {0};
    sh_text_hash(sh_strings_see(block), &second, 7, places);
    CHECK_INT(places[0], sh_hash_place(sh_hash_bytes("x", 1), 7));
    CHECK_INT(places[1], places[0]);
    CHECK_INT(places[2], sh_hash_place(sh_hash_bytes("y", 1), 7));
    CHECK_INT(places[3], sh_hash_place(sh_hash_bytes("", 0), 7));
    sh_text_hash(sh_strings_see(block), &whole, 1000, places);
    CHECK_INT(places[1], sh_hash_place(sh_hash_bytes("b,x", 3), 1000));
    sh_strings_unref(block);
}

/* Words of any length, beside all kinds of bytes, against a cut byte by byte. */
static void test_random_words(uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    char text[201];
    sh_span words[201];
    uint32_t n = test_random_below(&random, 200), n_words = 0;
    bool was_blank = true;
    for (uint32_t i = 0; i < n; i++) {
        text[i] =
            (char)test_random_below(&random, test_random_below(&random, 2) ? 256 : 36);
        bool is_blank = strchr(" \t\n\v\f\r", text[i]) && text[i] != '\0';
        if (!is_blank && was_blank)
            words[n_words++] = (sh_span){i, 0};
        if (!is_blank)
            words[n_words - 1].len++;
        was_blank = is_blank;
    }
    sh_span span = {0, n};
    sh_strings *block = sh_strings_copy(text, &span, 1);
    sh_strings *out = sh_text_split(block, sh_strings_see(block), &(sh_field){0});
    sh_strings_view view = sh_strings_see(out);
    CHECK_INT(view.n, n_words);
    for (uint32_t i = 0; i < n_words; i++) {
        CHECK_INT(view.spans[i].start, words[i].start);
        CHECK_INT(view.spans[i].len, words[i].len);
    }
    sh_strings_unref(out);
    sh_strings_unref(block);
}

static void test_out_of_memory(void)
{
    char text[400];
    memset(text, ',', sizeof text);
    sh_span span = {0, sizeof text};
    sh_strings *block = sh_strings_copy(text, &span, 1);
    sh_field of = by(",", 0);
    sh_strings *out = NULL;
    for (uint64_t nth = 1; !out; nth++) {
        sh__alloc_fail_nth(nth);
        out = sh_text_split(block, sh_strings_see(block), &of);
        CHECK(!out == !sh__alloc_is_armed());
        sh__alloc_fail_nth(0);
    }
    CHECK_INT(sh_strings_see(out).n, sizeof text + 1);
    sh_strings_unref(out);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        sh__alloc_fail_nth(nth);
        CHECK_POINTER(sh_text_field(block, sh_strings_see(block), &of), NULL);
    }
    sh_strings_unref(block);
}

int main(void)
{
    test_field();
    test_split();
    test_of_derived();
    test_hash();
    test_out_of_memory();
    uint64_t seeds = test_seeds(300);
    for (uint64_t seed = 1; seed <= seeds; seed++)
        test_random_words(seed);
    return test_end();
}

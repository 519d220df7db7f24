/* SPDX-License-Identifier: MIT
 *
 * Lines out of chunks: whatever the chunks, the lines are the same. */
#include <string.h>

#include "base/alloc.h"
#include "stagehost.h"
#include "stagehost/text.h"
#include "test.h"
#include "text_rig.h"

static const char *feed(sh_lines *lines, const char *bytes, size_t n)
{
    sh_strings *block;
    CHECK_INT(sh_lines_feed(lines, bytes, n, &block), SH_OK);
    return rig_text(block);
}

static const char *finish(sh_lines *lines)
{
    sh_strings *block;
    CHECK_INT(sh_lines_finish(lines, &block), SH_OK);
    return rig_text(block);
}

static void test_lines(void)
{
    sh_lines *lines = sh_lines_new(false);
    CHECK_TEXT(feed(lines, NULL, 0), "none");
    CHECK_TEXT(feed(lines, "a\nb\n\nc", 6), "a|b||");
    CHECK_INT(sh_lines_kept(lines), 1);
    CHECK_TEXT(feed(lines, "d", 1), "none");
    CHECK_TEXT(feed(lines, "e\r", 2), "none");
    CHECK_TEXT(feed(lines, "\nf\r\r\n\r\n", 7), "cde|f\r||");
    CHECK_TEXT(finish(lines), "none");
    CHECK_TEXT(feed(lines, "x\0y\nrest\r", 9), "x0y|");
    CHECK_TEXT(finish(lines), "rest\r|");
    CHECK_TEXT(finish(lines), "none");
    CHECK_TEXT(feed(lines, "\n", 1), "|");
    sh_lines_free(lines);
    sh_lines_free(NULL);
}

static void test_keep_cr(void)
{
    sh_lines *lines = sh_lines_new(true);
    CHECK_TEXT(feed(lines, "a\r\nb\n\r", 6), "a\r|b|");
    CHECK_TEXT(feed(lines, "\n", 1), "\r|");
    sh_lines_free(lines);
}

static void test_chunks_of_a_block(void)
{
    sh_lines *lines = sh_lines_new(false);
    sh_strings *block, *chunks = rig_block("a\nb||c\n|\nd|e|");
    CHECK_INT(sh_lines_feed_all(lines, sh_strings_see(chunks), &block), SH_OK);
    CHECK_TEXT(rig_text(block), "a|bc||");
    CHECK_INT(sh_lines_kept(lines), 2);
    CHECK_TEXT(finish(lines), "de|");
    sh_strings_unref(chunks);
    sh_lines_free(lines);
}

static const char *whole(const char *chunks, bool keep_cr)
{
    sh_strings *block = rig_block(chunks);
    sh_strings *lines = sh_text_lines(sh_strings_see(block), keep_cr);
    sh_strings_unref(block);
    return rig_text(lines);
}

static void test_whole_text(void)
{
    CHECK_TEXT(whole("a\nb||c\r\n|\nd|e|", false), "a|bc||de|");
    CHECK_TEXT(whole("a\r|\nb\r", false), "a|b\r|");
    CHECK_TEXT(whole("a\r\n", true), "a\r|");
    CHECK_TEXT(whole("", false), "");
    CHECK_TEXT(whole("|\n", false), "|");
}

/* A line much longer than what is kept for the next one. */
static void test_long_line(void)
{
    enum { LONG = 1 << 20 };
    sh_lines *lines = sh_lines_new(false);
    char *bytes = sh_malloc(LONG);
    sh_strings *block;
    memset(bytes, 'x', LONG);
    for (int i = 0; i < 3; i++)
        CHECK_TEXT(feed(lines, bytes, LONG), "none");
    CHECK_INT(sh_lines_feed(lines, "\nnext", 5, &block), SH_OK);
    CHECK_INT(sh_strings_see(block).n, 1);
    CHECK_INT(sh_strings_see(block).spans[0].len, INT64_C(3) * LONG);
    sh_strings_unref(block);
    CHECK_TEXT(finish(lines), "next|");
    sh_free(bytes);
    sh_lines_free(lines);
}

/* The length of the text after it. */
static size_t append(char *text, size_t len, const char *lines)
{
    if (strcmp(lines, "none") == 0)
        return len;
    memcpy(text + len, lines, strlen(lines) + 1);
    return len + strlen(lines);
}

/* Random text in random chunks, cut at every place, against a cut by hand. */
static void test_random(uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    bool keep_cr = test_random_below(&random, 2);
    sh_lines *lines = sh_lines_new(keep_cr);
    char text[300], expected[700], actual[700] = "", *to = expected;
    size_t n = test_random_below(&random, 300), len = 0, n_actual = 0;
    for (size_t i = 0; i < n; i++) {
        text[i] = "ab\r\n"[test_random_below(&random, 4)];
        if (text[i] != '\n') {
            *to++ = text[i];
            len++;
            continue;
        }
        if (!keep_cr && len > 0 && to[-1] == '\r')
            to--;
        *to++ = '|';
        len = 0;
    }
    if (len > 0)
        *to++ = '|';
    *to = '\0';
    for (size_t at = 0; at < n;) {
        size_t chunk = 1 + test_random_below(&random, 40);
        chunk = chunk < n - at ? chunk : n - at;
        n_actual = append(actual, n_actual, feed(lines, text + at, chunk));
        at += chunk;
    }
    append(actual, n_actual, finish(lines));
    CHECK_TEXT(actual, expected);
    sh_lines_free(lines);
}

/* A feed that fails has fed nothing. */
static void test_out_of_memory(void)
{
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        sh_lines *lines = sh_lines_new(false);
        sh_strings *block;
        feed(lines, "begun ", 6);
        sh__alloc_fail_nth(nth);
        char rest[600];
        memset(rest, 'r', sizeof rest);
        rest[3] = '\n';
        int status = sh_lines_feed(lines, rest, sizeof rest, &block);
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK_INT(sh_lines_kept(lines), failed ? 6 : sizeof rest - 4);
        CHECK_TEXT(rig_text(block), failed ? "none" : "begun rrr|");
        sh__alloc_fail_nth(1);
        CHECK_INT(sh_lines_finish(lines, &block), SH_ENOMEM);
        CHECK_TEXT(failed ? finish(lines) : "begun |", "begun |");
        sh_lines_free(lines);
    }
    sh__alloc_fail_nth(1);
    CHECK_POINTER(sh_lines_new(false), NULL);
}

int main(void)
{
    test_lines();
    test_keep_cr();
    test_chunks_of_a_block();
    test_whole_text();
    test_long_line();
    test_out_of_memory();
    uint64_t seeds = test_seeds(300);
    for (uint64_t seed = 1; seed <= seeds; seed++)
        test_random(seed);
    return test_end();
}

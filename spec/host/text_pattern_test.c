/* SPDX-License-Identifier: MIT
 *
 * Patterns and the selection by them. That they find what string.find finds is the subject of
 * spec/text/pattern_model_spec.lua. */
#include <string.h>

#include "base/alloc.h"
#include "stagehost.h"
#include "stagehost/text.h"
#include "test.h"
#include "text_rig.h"

static sh_pattern *make(const char *text, size_t len)
{
    sh_pattern *pattern;
    const char *problem;
    CHECK_INT(sh_pattern_new(text, len, &pattern, &problem), SH_OK);
    CHECK_TEXT(problem, NULL);
    return pattern;
}

static void check_capture(sh_pattern *pattern, uint32_t i, size_t start, size_t len)
{
    sh_capture capture = sh_pattern_capture(pattern, i);
    CHECK_INT(capture.start, start);
    CHECK_INT(capture.len, len);
}

static void test_find(void)
{
    sh_pattern *pattern = make("(%a+)=()(%b())", 14);
    CHECK_INT(sh_pattern_captures(pattern), 3);
    CHECK_INT(sh_pattern_find(pattern, "1 key=((x)y) z)", 15, 0), 1);
    check_capture(pattern, 0, 2, 10);
    check_capture(pattern, 1, 2, 3);
    check_capture(pattern, 2, 6, 0);
    check_capture(pattern, 3, 6, 6);
    CHECK(sh_pattern_capture(pattern, 2).is_position);
    CHECK(!sh_pattern_capture(pattern, 3).is_position);
    CHECK_INT(sh_pattern_find(pattern, "1 key=((x)y) z)", 15, 3), 1);
    check_capture(pattern, 0, 3, 9);
    CHECK_INT(sh_pattern_find(pattern, "1 key=((x)y) z)", 15, 5), 0);
    CHECK_INT(sh_pattern_find(pattern, "", 0, 1), 0);
    CHECK_INT(sh_pattern_find(pattern, NULL, 0, 0), 0);
    sh_pattern_free(pattern);
    sh_pattern_free(NULL);
}

static void test_plain(void)
{
    sh_pattern *pattern;
    CHECK_INT(sh_pattern_plain("a.*\0", 4, &pattern), SH_OK);
    CHECK_INT(sh_pattern_find(pattern, "aba.*\0", 6, 0), 1);
    check_capture(pattern, 0, 2, 4);
    CHECK_INT(sh_pattern_find(pattern, "aba.*\0", 6, 3), 0);
    sh_pattern_free(pattern);
    pattern = make("", 0);
    CHECK_INT(sh_pattern_find(pattern, "abc", 3, 3), 1);
    check_capture(pattern, 0, 3, 0);
    sh_pattern_free(pattern);
    pattern = make("%d\0", 3);
    CHECK_INT(sh_pattern_find(pattern, "1x2\0", 4, 0), 1);
    check_capture(pattern, 0, 2, 2);
    sh_pattern_free(pattern);
}

static void check_problem(const char *text, const char *expected)
{
    sh_pattern *pattern;
    const char *problem = "none";
    CHECK_INT(sh_pattern_new(text, strlen(text), &pattern, &problem), SH_EINVAL);
    CHECK_TEXT(problem, expected);
    CHECK_POINTER(pattern, NULL);
}

static void test_problems(void)
{
    check_problem("a%", "malformed pattern (ends with '%')");
    check_problem("[a", "malformed pattern (missing ']')");
    check_problem("[]", "malformed pattern (missing ']')");
    check_problem("[^]", "malformed pattern (missing ']')");
    check_problem("[%]", "malformed pattern (missing ']')");
    check_problem("[a%", "malformed pattern (missing ']')");
    check_problem("%f", "missing '[' after '%f' in pattern");
    check_problem("%fa", "missing '[' after '%f' in pattern");
    check_problem("%f[a", "malformed pattern (missing ']')");
    check_problem("%b", "unbalanced pattern");
    check_problem("%bx", "unbalanced pattern");
    check_problem("(a", "unfinished capture");
    check_problem("(a)(", "unfinished capture");
    check_problem(".)", "invalid pattern capture");
    check_problem("%1", "invalid capture index");
    check_problem("(a)%0", "invalid capture index");
    check_problem("(a%1)", "invalid capture index");
    check_problem("()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()",
                  "too many captures");
}

/* More sets than PCRE2 can compile. */
static void test_too_long(void)
{
    enum { SETS = 20000 };
    char *text = sh_malloc(4 * SETS + 1);
    for (size_t i = 0; i < SETS; i++)
        memcpy(text + 4 * i, "[ab]", 5);
    check_problem(text, "pattern too long");
    sh_free(text);
}

/* What takes forever fails; what is nested deeper than the stack of compiled code works. */
static void test_limits(void)
{
    enum { LONG = 20000 };
    static char text[LONG];
    memset(text, 'a', LONG);
    sh_pattern *pattern = make(".-.-.-.-.-.-[bc]", 16);
    CHECK_INT(sh_pattern_find(pattern, text, LONG, 0), SH_EFAILED);
    CHECK_INT(sh_pattern_find(pattern, "xb", 2, 0), 1);
    sh_pattern_free(pattern);
    pattern = make(".-b", 3);
    CHECK_INT(sh_pattern_find(pattern, text, LONG, 0), 0);
    sh_pattern_free(pattern);
    memset(text, '(', LONG / 2);
    memset(text + LONG / 2, ')', LONG / 2);
    pattern = make("%b()", 4);
    CHECK_INT(sh_pattern_find(pattern, text, LONG, 0), 1);
    check_capture(pattern, 0, 0, LONG);
    CHECK_INT(sh_pattern_find(pattern, text, LONG - 1, 0), 1);
    check_capture(pattern, 0, 1, LONG - 2);
    sh_pattern_free(pattern);
}

static const char *select_in(const char *strings, const char *text, bool invert)
{
    sh_strings *block = rig_block(strings), *out;
    sh_pattern *pattern = make(text, strlen(text));
    uint32_t failed_at;
    CHECK_INT(
        sh_text_select(block, sh_strings_see(block), pattern, invert, &out, &failed_at),
        SH_OK);
    sh_strings_unref(block);
    sh_pattern_free(pattern);
    return rig_text(out);
}

static void test_select(void)
{
    CHECK_TEXT(select_in("a1|b|c2|", "%d", false), "a1|c2|");
    CHECK_TEXT(select_in("a1|b|c2|", "%d", true), "b||");
    CHECK_TEXT(select_in("a1|b|c2|", "^%l$", false), "b|");
    CHECK_TEXT(select_in("a1|b|c2|", "b", false), "b|");
    CHECK_TEXT(select_in("ab|b|ba", "ab", true), "b|ba|"); /* not across two strings */
    CHECK_TEXT(select_in("a1|b|c2|", "", false), "a1|b|c2||");
    CHECK_TEXT(select_in("a1|b", "x", false), "");
}

static void test_select_fails(void)
{
    sh_strings *block, *out;
    uint32_t failed_at;
    char text[3000];
    memset(text, 'a', sizeof text);
    sh_span spans[] = {{0, 1}, {1, 2}, {0, sizeof text}};
    block = sh_strings_copy(text, spans, 3);
    sh_pattern *pattern = make(".-.-.-.-.-.-[bc]", 16);
    CHECK_INT(
        sh_text_select(block, sh_strings_see(block), pattern, false, &out, &failed_at),
        SH_EFAILED);
    CHECK_INT(failed_at, 2);
    CHECK_POINTER(out, NULL);
    sh_pattern_free(pattern);
    sh_strings_unref(block);
}

/* The memory of PCRE2 comes from the library's allocator. */
static void test_out_of_memory(void)
{
    sh_strings *block = rig_block("a1|b"), *out = NULL;
    const char *problem;
    uint32_t failed_at;
    for (uint64_t nth = 1; !out; nth++) {
        sh_pattern *pattern;
        sh__alloc_fail_nth(nth);
        int status = sh_pattern_new("(%d)", 4, &pattern, &problem);
        CHECK_TEXT(problem, NULL);
        if (status == SH_OK)
            status = sh_text_select(block, sh_strings_see(block), pattern, false, &out,
                                    &failed_at);
        bool failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        if (status != SH_OK)
            CHECK(failed && status == SH_ENOMEM && out == NULL);
        if (out && failed) { /* without machine code it works as well */
            CHECK_TEXT(rig_text(out), "a1|");
            out = NULL;
        }
        sh_pattern_free(pattern);
    }
    CHECK_TEXT(rig_text(out), "a1|");
    for (uint64_t nth = 1; nth <= 2; nth++) {
        sh_pattern *pattern;
        sh__alloc_fail_nth(nth);
        CHECK_INT(sh_pattern_plain("a", 1, &pattern), SH_ENOMEM);
        CHECK_POINTER(pattern, NULL);
    }
    sh_strings_unref(block);
}

int main(void)
{
    test_find();
    test_plain();
    test_problems();
    test_too_long();
    test_limits();
    test_select();
    test_select_fails();
    test_out_of_memory();
    return test_end();
}

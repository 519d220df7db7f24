/* SPDX-License-Identifier: MIT
 *
 * A pattern without a special character is searched for as a text; any other by PCRE2, compiled to
 * machine code where that is possible. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "text/translate.h"

/* How much a search may take; text.h states it. */
enum { MOST_STEPS = 1000000, STEPS_A_BYTE = 10, MOST_KIB = 256 * 1024 };

struct sh_pattern {
    char *text; /* to search for; NULL: there is a code */
    size_t len;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    bool is_compiled;  /* to machine code */
    size_t start, end; /* of what was found last */
    struct sh__translation translation;
    struct sh_capture found[SH_CAPTURES_MAX];
};

/* -- making one ------------------------------------------------------------------------ */

static void *allocate(size_t size, void *nothing)
{
    (void)nothing;
    return sh_malloc(size);
}

static void release(void *block, void *nothing)
{
    (void)nothing;
    sh_free(block);
}

static sh_pattern *make_empty(void)
{
    sh_pattern *pattern = sh_malloc(sizeof *pattern);
    if (pattern)
        memset(pattern, 0, sizeof *pattern);
    return pattern;
}

int sh_pattern_plain(const char *text, size_t len, sh_pattern **out)
{
    sh_pattern *pattern = *out = make_empty();
    if (!pattern)
        return SH_ENOMEM;
    pattern->text = sh_malloc(len + 1);
    if (!pattern->text) {
        sh_free(pattern);
        *out = NULL;
        return SH_ENOMEM;
    }
    if (len > 0)
        memcpy(pattern->text, text, len);
    pattern->len = len;
    return SH_OK;
}

/* What is wrong in a pattern was found before; what is left is its size. */
static int compile_code(sh_pattern *pattern, pcre2_general_context *memory,
                        const char **problem)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    if (!context)
        return SH_ENOMEM;
    pattern->code = pcre2_compile(
        (PCRE2_SPTR)pattern->translation.text, pattern->translation.len,
        PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &code, &at, context);
    pcre2_compile_context_free(context);
    if (pattern->code)
        return SH_OK;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return SH_ENOMEM;
    *problem = "pattern too long";
    return SH_EINVAL;
}

static int make_code(sh_pattern *pattern, const char **problem)
{
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    int status = memory ? compile_code(pattern, memory, problem) : SH_ENOMEM;
    if (status == SH_OK) {
        pattern->is_compiled = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
        pattern->match = pcre2_match_data_create_from_pattern(pattern->code, memory);
        pattern->limits = pcre2_match_context_create(memory);
        if (!pattern->match || !pattern->limits)
            status = SH_ENOMEM;
    }
    if (status == SH_OK)
        pcre2_set_heap_limit(pattern->limits, MOST_KIB);
    if (memory)
        pcre2_general_context_free(memory);
    return status;
}

int sh_pattern_new(const char *text, size_t len, sh_pattern **out, const char **problem)
{
    *out = NULL;
    *problem = NULL;
    if (!sh__pattern_is_special(text, len))
        return sh_pattern_plain(text, len, out);
    sh_pattern *pattern = make_empty();
    if (!pattern)
        return SH_ENOMEM;
    int status = sh__translate(text, len, &pattern->translation, problem);
    if (status == SH_OK)
        status = make_code(pattern, problem);
    sh_free(pattern->translation.text);
    pattern->translation.text = NULL;
    if (status == SH_OK)
        *out = pattern;
    else
        sh_pattern_free(pattern);
    return status;
}

void sh_pattern_free(sh_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->match);
    pcre2_code_free(pattern->code);
    sh_free(pattern->text);
    sh_free(pattern);
}

/* -- searching ------------------------------------------------------------------------- */

static int find_text(sh_pattern *pattern, const char *bytes, size_t len, size_t from)
{
    const char *found = memmem(bytes + from, len - from, pattern->text, pattern->len);
    if (!found)
        return 0;
    pattern->start = (size_t)(found - bytes);
    pattern->end = pattern->start + pattern->len;
    return 1;
}

static void keep_found(sh_pattern *pattern, const size_t *places)
{
    pattern->start = places[0];
    pattern->end = places[1];
    for (uint32_t i = 0; i < pattern->translation.n_captures; i++) {
        const size_t *place = places + (size_t)2 * pattern->translation.captures[i].group;
        pattern->found[i] =
            (sh_capture){place[0], place[1] - place[0],
                         .is_position = pattern->translation.captures[i].is_position};
    }
}

/* Compiled code has a small stack, which deep nesting of %b may exceed; the interpreter has memory.
 * That is released afterwards. */
static int interpret(sh_pattern *pattern, const char *bytes, size_t len, size_t from)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (!match)
        return PCRE2_ERROR_NOMEMORY;
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)bytes, len, from, PCRE2_NO_JIT,
                             match, pattern->limits);
    if (result > 0)
        keep_found(pattern, pcre2_get_ovector_pointer(match));
    pcre2_match_data_free(match);
    return result;
}

static int find_code(sh_pattern *pattern, const char *bytes, size_t len, size_t from)
{
    size_t steps = len < UINT32_MAX / STEPS_A_BYTE - MOST_STEPS
                       ? MOST_STEPS + STEPS_A_BYTE * len
                       : UINT32_MAX;
    pcre2_set_match_limit(pattern->limits, (uint32_t)steps);
    int result = PCRE2_ERROR_JIT_STACKLIMIT;
    if (pattern->is_compiled)
        result = pcre2_jit_match(pattern->code, (PCRE2_SPTR)bytes, len, from, 0,
                                 pattern->match, pattern->limits);
    if (result > 0)
        keep_found(pattern, pcre2_get_ovector_pointer(pattern->match));
    else if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = interpret(pattern, bytes, len, from);
    if (result == PCRE2_ERROR_NOMATCH)
        return 0;
    if (result == PCRE2_ERROR_NOMEMORY)
        return SH_ENOMEM;
    return result > 0 ? 1 : SH_EFAILED;
}

int sh_pattern_find(sh_pattern *pattern, const char *bytes, size_t len, size_t from)
{
    if (from > len)
        return 0;
    if (!bytes)
        bytes = "";
    return pattern->text ? find_text(pattern, bytes, len, from)
                         : find_code(pattern, bytes, len, from);
}

uint32_t sh_pattern_captures(const sh_pattern *pattern)
{
    return pattern->translation.n_captures;
}

sh_capture sh_pattern_capture(const sh_pattern *pattern, uint32_t i)
{
    if (i > 0)
        return pattern->found[i - 1];
    return (sh_capture){pattern->start, pattern->end - pattern->start, false};
}

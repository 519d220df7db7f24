/* SPDX-License-Identifier: MIT
 *
 * Lua's matcher goes through a pattern item by item and tries the alternatives of each in an order
 * that PCRE2 has too: greedy, lazy or optional repetition of one byte. So each item is translated
 * for itself. What has no counterpart:
 *
 *   %bxy     a group that calls itself; x and y are counted, so nothing in it is tried twice
 *   %f[set]  one look behind and one ahead; Lua sees a NUL byte at both ends of the subject
 *   ()       an empty group, whose place is the result; a reference to it never matches
 *
 * Sets and classes become their bytes, as hexadecimal numbers. */
#include "text/translate.h"

#include <stdio.h>
#include <string.h>

#include "text/byte_set.h"

struct translator {
    const char *p, *end; /* what is left of the pattern */
    struct sh__translation *out;
    size_t capacity;
    uint32_t n_groups;
    bool is_open[SH_CAPTURES_MAX];
    bool no_memory;
    const char *problem;
};

/* -- output ---------------------------------------------------------------------------- */

static bool make_room(struct translator *t, size_t n)
{
    if (t->no_memory || (t->out->text && t->capacity - t->out->len >= n))
        return !t->no_memory;
    size_t capacity = 2 * t->capacity + n + 64;
    char *text = sh_realloc(t->out->text, capacity);
    t->no_memory = text == NULL;
    if (text) {
        t->out->text = text;
        t->capacity = capacity;
    }
    return text != NULL;
}

static void put(struct translator *t, const char *text)
{
    size_t n = strlen(text);
    if (!make_room(t, n))
        return;
    memcpy(t->out->text + t->out->len, text, n);
    t->out->len += n;
}

static void put_number(struct translator *t, const char *before, uint32_t n,
                       const char *after)
{
    char number[16];
    snprintf(number, sizeof number, "%u", (unsigned)n);
    put(t, before);
    put(t, number);
    put(t, after);
}

static void put_byte(struct translator *t, unsigned char byte)
{
    char escape[8];
    snprintf(escape, sizeof escape, "\\x%02x", byte);
    put(t, escape);
}

static void put_ranges(struct translator *t, const struct sh__byte_set *set)
{
    for (unsigned first = 0; first < 256; first++) {
        unsigned last = first;
        if (!sh__byte_set_has(set, first))
            continue;
        while (last < 255 && sh__byte_set_has(set, last + 1))
            last++;
        put_byte(t, (unsigned char)first);
        if (last > first) {
            put(t, "-");
            put_byte(t, (unsigned char)last);
        }
        first = last;
    }
}

/* One byte of a set. */
static void put_set(struct translator *t, struct sh__byte_set set)
{
    unsigned n = sh__byte_set_n(&set);
    if (n == 256) {
        put(t, ".");
    } else if (n == 0) {
        put(t, "[^\\x00-\\xff]");
    } else if (n > 128) {
        set = sh__byte_set_invert(set);
        put(t, "[^");
        put_ranges(t, &set);
        put(t, "]");
    } else {
        put(t, n > 1 ? "[" : "");
        put_ranges(t, &set);
        put(t, n > 1 ? "]" : "");
    }
}

/* -- items ----------------------------------------------------------------------------- */

static void fail(struct translator *t, const char *problem)
{
    t->problem = problem;
}

/* The byte i places ahead, or -1. */
static int peek(const struct translator *t, size_t i)
{
    return (size_t)(t->end - t->p) > i ? (unsigned char)t->p[i] : -1;
}

static void open_capture(struct translator *t)
{
    struct sh__translation *out = t->out;
    bool is_position = peek(t, 1) == ')';
    if (out->n_captures == SH_CAPTURES_MAX) {
        fail(t, "too many captures");
        return;
    }
    t->is_open[out->n_captures] = !is_position;
    out->captures[out->n_captures].group = ++t->n_groups;
    out->captures[out->n_captures++].is_position = is_position;
    put(t, is_position ? "()" : "(");
    t->p += is_position ? 2 : 1;
}

/* The one that was opened last. */
static void close_capture(struct translator *t)
{
    uint32_t i = t->out->n_captures;
    while (i > 0 && !t->is_open[i - 1])
        i--;
    if (i == 0) {
        fail(t, "invalid pattern capture");
        return;
    }
    t->is_open[i - 1] = false;
    put(t, ")");
    t->p++;
}

/* %1 */
static void refer(struct translator *t)
{
    uint32_t i = (uint32_t)(t->p[1] - '1');
    if (t->p[1] == '0' || i >= t->out->n_captures || t->is_open[i])
        fail(t, "invalid capture index");
    else if (t->out->captures[i].is_position)
        put(t, "(?!)");
    else
        put_number(t, "\\g{", t->out->captures[i].group, "}");
    t->p += 2;
}

/* %bxy: x (anything else | itself)* y, without a second try. */
static void balance(struct translator *t)
{
    if (peek(t, 3) < 0) {
        fail(t, "unbalanced pattern");
        return;
    }
    unsigned char x = (unsigned char)t->p[2], y = (unsigned char)t->p[3];
    bool can_nest = x != y;
    put(t, can_nest ? "((?>" : "(?>");
    put_byte(t, x);
    put(t, can_nest ? "(?:[^" : "[^");
    put_byte(t, x);
    put_byte(t, y);
    if (can_nest)
        put_number(t, "]++|(?", ++t->n_groups, "))*+");
    else
        put(t, "]*+");
    put_byte(t, y);
    put(t, can_nest ? "))" : ")");
    t->p += 4;
}

/* The end of the set that begins at p, a "[": at its "]"; NULL if it has none. */
static const char *find_end_of_set(const char *p, const char *end)
{
    p++;
    if (p < end && *p == '^')
        p++;
    do {
        if (p == end)
            return NULL;
        if (*p++ == '%' && p < end)
            p++;
    } while (p == end || *p != ']');
    return p;
}

/* Takes a class, a set or a byte. */
static struct sh__byte_set take_single(struct translator *t)
{
    struct sh__byte_set set = {{0}};
    if (*t->p == '[') {
        const char *last = find_end_of_set(t->p, t->end);
        if (last)
            set = sh__byte_set_of_brackets(t->p + 1, last);
        else
            fail(t, "malformed pattern (missing ']')");
        t->p = last ? last + 1 : t->end;
        return set;
    }
    if (*t->p == '.') {
        t->p++;
        return sh__byte_set_invert(set);
    }
    if (*t->p == '%') {
        if (peek(t, 1) < 0)
            fail(t, "malformed pattern (ends with '%')");
        else
            set = sh__byte_set_of_class((unsigned char)t->p[1]);
        t->p += peek(t, 1) < 0 ? 1 : 2;
        return set;
    }
    set.words[(unsigned char)*t->p >> 6] = UINT64_C(1) << ((unsigned char)*t->p & 63);
    t->p++;
    return set;
}

/* %f[set]: from a byte that is not in the set to one that is. Nothing is looked for ahead, but all
 * else excluded: PCRE2 10.42 takes "(?=a)b?a" for a pattern with two a. */
static void look_around(struct translator *t)
{
    t->p += 2;
    if (peek(t, 0) != '[') {
        fail(t, "missing '[' after '%f' in pattern");
        return;
    }
    struct sh__byte_set set = take_single(t), others = sh__byte_set_invert(set);
    bool has_ends = sh__byte_set_has(&set, 0);
    put(t, has_ends ? "(?<=" : "(?<!");
    put_set(t, has_ends ? others : set);
    put(t, has_ends ? ")(?!" : ")(?!\\z|");
    put_set(t, others);
    put(t, ")");
}

static void repeat(struct translator *t)
{
    int c = peek(t, 0);
    if (c == '*')
        put(t, "*");
    else if (c == '+')
        put(t, "+");
    else if (c == '?')
        put(t, "?");
    else if (c == '-')
        put(t, "*?");
    else
        return;
    t->p++;
}

static void take_item(struct translator *t)
{
    int c = peek(t, 0), next = peek(t, 1);
    if (c == '(') {
        open_capture(t);
    } else if (c == ')') {
        close_capture(t);
    } else if (c == '%' && next == 'b') {
        balance(t);
    } else if (c == '%' && next == 'f') {
        look_around(t);
    } else if (c == '%' && next >= '0' && next <= '9') {
        refer(t);
    } else if (c == '$' && next < 0) {
        put(t, "\\z");
        t->p++;
    } else {
        put_set(t, take_single(t));
        repeat(t);
    }
}

/* -- patterns -------------------------------------------------------------------------- */

bool sh__pattern_is_special(const char *pattern, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]))
            return true;
    return false;
}

static void check_closed(struct translator *t)
{
    for (uint32_t i = 0; i < t->out->n_captures; i++)
        if (t->is_open[i])
            fail(t, "unfinished capture");
}

int sh__translate(const char *pattern, size_t len, struct sh__translation *out,
                  const char **problem)
{
    struct translator t = {.p = pattern, .end = pattern + len, .out = out};
    *out = (struct sh__translation){0};
    if (peek(&t, 0) == '^') {
        put(&t, "\\G"); /* where the search began */
        t.p++;
    }
    while (t.p < t.end && !t.problem)
        take_item(&t);
    if (!t.problem)
        check_closed(&t);
    put(&t, ""); /* an empty one has text, too */
    if (!t.problem && !t.no_memory)
        return SH_OK;
    sh_free(out->text);
    out->text = NULL;
    *problem = t.problem;
    return t.problem ? SH_EINVAL : SH_ENOMEM;
}

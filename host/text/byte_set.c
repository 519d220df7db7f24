/* SPDX-License-Identifier: MIT
 *
 * The classes are spelled out, so that neither the locale nor a table of PCRE2 has a say. */
#include "text/byte_set.h"

static void add(struct sh__byte_set *set, unsigned byte)
{
    set->words[byte >> 6] |= UINT64_C(1) << (byte & 63);
}

static void add_range(struct sh__byte_set *set, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        add(set, byte);
}

static void add_all(struct sh__byte_set *set, struct sh__byte_set others)
{
    for (int i = 0; i < 4; i++)
        set->words[i] |= others.words[i];
}

unsigned sh__byte_set_n(const struct sh__byte_set *set)
{
    unsigned n = 0;
    for (unsigned byte = 0; byte < 256; byte++)
        n += sh__byte_set_has(set, byte);
    return n;
}

struct sh__byte_set sh__byte_set_invert(struct sh__byte_set set)
{
    for (int i = 0; i < 4; i++)
        set.words[i] = ~set.words[i];
    return set;
}

static void add_punctuation(struct sh__byte_set *set)
{
    add_range(set, '!', '/');
    add_range(set, ':', '@');
    add_range(set, '[', '`');
    add_range(set, '{', '~');
}

static void add_letters_and_digits(struct sh__byte_set *set)
{
    add_range(set, '0', '9');
    add_range(set, 'A', 'Z');
    add_range(set, 'a', 'z');
}

/* Adds the class with that name; false: there is none. */
static bool add_class(struct sh__byte_set *set, int name)
{
    switch (name) {
    case 'a':
        add_range(set, 'A', 'Z');
        add_range(set, 'a', 'z');
        return true;
    case 'c':
        add_range(set, 0, 31);
        add(set, 127);
        return true;
    case 'd':
        add_range(set, '0', '9');
        return true;
    case 'g':
        add_range(set, '!', '~');
        return true;
    case 'l':
        add_range(set, 'a', 'z');
        return true;
    case 'p':
        add_punctuation(set);
        return true;
    case 's':
        add_range(set, '\t', '\r');
        add(set, ' ');
        return true;
    case 'u':
        add_range(set, 'A', 'Z');
        return true;
    case 'w':
        add_letters_and_digits(set);
        return true;
    case 'x':
        add_range(set, '0', '9');
        add_range(set, 'A', 'F');
        add_range(set, 'a', 'f');
        return true;
    case 'z':
        add(set, 0);
        return true;
    }
    return false;
}

struct sh__byte_set sh__byte_set_of_class(unsigned char c)
{
    struct sh__byte_set set = {{0}};
    bool is_upper = c >= 'A' && c <= 'Z';
    if (add_class(&set, is_upper ? c + ('a' - 'A') : c))
        return is_upper ? sh__byte_set_invert(set) : set;
    add(&set, c);
    return set;
}

/* The steps are Lua's own, for sets that only they give a meaning: in "[+-%%]" the "%" that ends
 * the range is read, and the one behind it escapes the "]". */
struct sh__byte_set sh__byte_set_of_brackets(const char *first, const char *last)
{
    struct sh__byte_set set = {{0}};
    bool inverted = *first == '^';
    const char *p = inverted ? first + 1 : first;
    for (; p < last; p++) {
        if (*p == '%') {
            p++;
            add_all(&set, sh__byte_set_of_class((unsigned char)*p));
        } else if (p[1] == '-' && p + 2 < last) {
            add_range(&set, (unsigned char)p[0], (unsigned char)p[2]);
            p += 2;
        } else {
            add(&set, (unsigned char)*p);
        }
    }
    return inverted ? sh__byte_set_invert(set) : set;
}

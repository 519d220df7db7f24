/* SPDX-License-Identifier: MIT
 *
 * The fields of one string, one after the other. */
#ifndef SH_FIELDS_H
#define SH_FIELDS_H

#include <string.h>

#include "base/compiler.h"
#include "stagehost/text.h"

/* Where the next field is looked for. */
struct sh__fields {
    const char *at, *end; /* at NULL: there is no more field */
    const char *separator;
    size_t separator_len;
};

static inline bool sh__is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static inline struct sh__fields sh__fields_of(const sh_field *field, const char *string,
                                              size_t len)
{
    return (struct sh__fields){string, string + len, field->separator,
                               field->separator_len};
}

/* Where a word that begins at `at` ends, tested in eight bytes at once. The highest bit of a byte
 * in `low` says that it is a space or a control character, of which a few only are white space. */
static inline const char *sh__end_of_word(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        uint64_t low = ~(((bytes & ~high) + ones * (0x80 - 0x21)) | bytes) & high;
        at += low ? sh__first_byte(low) : 8;
        if (low && sh__is_blank(*at))
            return at;
        at += low != 0;
    }
    while (at < end && !sh__is_blank(*at))
        at++;
    return at;
}

static inline bool sh__fields_next_word(struct sh__fields *fields, const char **word,
                                        size_t *len)
{
    const char *at = fields->at, *end = fields->end;
    while (at < end && sh__is_blank(*at))
        at++;
    *word = at;
    fields->at = sh__end_of_word(at, end);
    *len = (size_t)(fields->at - at);
    return *len > 0;
}

static inline const char *sh__find_separator(const struct sh__fields *fields)
{
    size_t left = (size_t)(fields->end - fields->at);
    return fields->separator_len == 1
               ? memchr(fields->at, fields->separator[0], left)
               : memmem(fields->at, left, fields->separator, fields->separator_len);
}

/* Takes the next field; false: there is none. */
static inline bool sh__fields_next(struct sh__fields *fields, const char **start,
                                   size_t *len)
{
    if (fields->separator_len == 0)
        return sh__fields_next_word(fields, start, len);
    if (!fields->at)
        return false;
    const char *separator = sh__find_separator(fields);
    *start = fields->at;
    *len = (size_t)((separator ? separator : fields->end) - fields->at);
    fields->at = separator ? separator + fields->separator_len : NULL;
    return true;
}

/* The nth one, from 1; false: there is none. */
static inline bool sh__fields_nth(struct sh__fields *fields, uint32_t nth,
                                  const char **start, size_t *len)
{
    for (; nth > 0; nth--)
        if (!sh__fields_next(fields, start, len))
            return false;
    return true;
}

#endif

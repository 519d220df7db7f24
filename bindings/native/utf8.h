/* SPDX-License-Identifier: MIT
 *
 * UTF-8 as RFC 3629 defines it: without overlong forms, surrogates, and codes above
 * U+10FFFF. */
#ifndef SHL_NATIVE_UTF8_H
#define SHL_NATIVE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Returns the length of a sequence of three or four bytes at `text`; 0 if there is none. */
size_t shl_utf8_long_length(const char *text);

/* Returns the length of the sequence at `text`, 0 if it is invalid. A NUL byte ends the
 * text. */
static inline size_t shl_utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] < 0xe0)
        return (s[1] & 0xc0) == 0x80 ? 2 : 0;
    return shl_utf8_long_length(text);
}

/* Writes a code point, also a surrogate (three bytes), and returns the end of what it
 * wrote. */
char *shl_utf8_write(char *out, uint32_t code);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Most bytes of a string are the same in a JSON text and in Lua. Quotes, backslashes,
 * control characters and invalid UTF-8 are not. Plain bytes are ASCII characters that are
 * the same. */
#ifndef SHL_NATIVE_JSON_SCAN_H
#define SHL_NATIVE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "native/utf8.h"

static inline bool shl_json_is_plain(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Tests eight bytes at once. A borrow can only change bytes above one that is not plain. */
static inline bool shl_json_are_plain(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t control = word - ones * 0x20;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    return ((control | quote | backslash | word) & ones * 0x80) == 0;
}

/* Skips plain bytes and valid UTF-8. The result points to a quote, a backslash, a control
 * character or an invalid byte; `*end` is one of these, and ends the string. */
static inline const char *shl_json_skip_text(const char *at, const char *end)
{
    size_t n;
    for (;;) {
        while (end - at >= 8 && shl_json_are_plain(at))
            at += 8;
        while (shl_json_is_plain(*at))
            at++;
        if ((unsigned char)*at < 0x80 || (n = shl_utf8_length(at)) == 0)
            return at;
        at += n;
    }
}

#endif

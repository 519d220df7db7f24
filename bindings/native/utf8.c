/* SPDX-License-Identifier: MIT */
#include "native/utf8.h"

#include <stdbool.h>

size_t shl_utf8_long_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] >= 0xf0 ? 4 : 3;
    if (s[0] < 0xe0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

static char continuation(uint32_t code, int shift)
{
    return (char)(0x80 | (code >> shift & 0x3f));
}

char *shl_utf8_write(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = continuation(code, 12);
        }
        *out++ = continuation(code, 6);
    }
    *out++ = continuation(code, 0);
    return out;
}

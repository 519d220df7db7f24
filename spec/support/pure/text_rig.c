/* SPDX-License-Identifier: MIT */
#include "text_rig.h"

#include <string.h>

#include "test.h"

sh_strings *rig_block(const char *text)
{
    sh_span spans[64], *places;
    char *bytes;
    uint32_t n = 0, at = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i <= len; i++)
        if (text[i] == '|' || text[i] == '\0') {
            spans[n++] = (sh_span){at, (uint32_t)i - at};
            at = (uint32_t)i + 1;
        }
    sh_strings *block = sh_strings_new(n, len, &places, &bytes);
    CHECK(block != NULL);
    memcpy(places, spans, n * sizeof *spans);
    for (size_t i = 0; i < len; i++)
        bytes[i] = text[i];
    sh_strings_seal(block);
    return block;
}

const char *rig_text(sh_strings *block)
{
    static char text[4096];
    char *to = text;
    if (!block)
        return "none";
    sh_strings_view view = sh_strings_see(block);
    for (uint32_t i = 0; i < view.n; i++) {
        for (uint32_t k = 0; k < view.spans[i].len; k++) {
            char byte = view.bytes[view.spans[i].start + k];
            *to++ = (char)(byte ? byte : '0');
        }
        *to++ = '|';
    }
    *to = '\0';
    sh_strings_unref(block);
    return text;
}

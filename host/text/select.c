/* SPDX-License-Identifier: MIT */
#include "stagehost/text.h"

/* The places of the strings to keep; a negative status in place of their number. */
static int64_t choose(sh_strings_view in, sh_pattern *pattern, bool invert, sh_span *chosen,
                      uint32_t *at)
{
    uint32_t n = 0;
    for (*at = 0; *at < in.n; ++*at) {
        sh_span span = in.spans[*at];
        int found = sh_pattern_find(pattern, in.bytes + span.start, span.len, 0);
        if (found < 0)
            return found;
        if ((found == 1) != invert)
            chosen[n++] = span;
    }
    return n;
}

int sh_text_select(sh_strings *of, sh_strings_view in, sh_pattern *pattern, bool invert,
                   sh_strings **out, uint32_t *failed_at)
{
    *out = NULL;
    sh_span *chosen = sh_malloc(in.n * sizeof *chosen);
    if (!chosen)
        return SH_ENOMEM;
    int64_t n = choose(in, pattern, invert, chosen, failed_at);
    if (n >= 0)
        *out = sh_strings_derive(of, chosen, (uint32_t)n);
    sh_free(chosen);
    if (n < 0)
        return (int)n;
    return *out ? SH_OK : SH_ENOMEM;
}

/* SPDX-License-Identifier: MIT
 *
 * Random bytes as a pattern and a subject, of which the first byte tells the length of the pattern:
 * what is found lies in the subject. */
#include <assert.h>

#include "stagehost.h"
#include "stagehost/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_captures(const sh_pattern *pattern, size_t len)
{
    for (uint32_t i = 0; i <= sh_pattern_captures(pattern); i++) {
        sh_capture capture = sh_pattern_capture(pattern, i);
        assert(capture.start <= len && capture.len <= len - capture.start);
        assert(!capture.is_position || capture.len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sh_pattern *pattern;
    const char *problem, *text = (const char *)data + 1;
    size_t n = size > 0 ? data[0] % size : 0;
    if (size == 0 || sh_pattern_new(text, n, &pattern, &problem) != SH_OK)
        return 0;
    size_t len = size - 1 - n;
    if (sh_pattern_find(pattern, text + n, len, 0) == 1)
        check_captures(pattern, len);
    sh_pattern_free(pattern);
    return 0;
}

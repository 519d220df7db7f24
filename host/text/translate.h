/* SPDX-License-Identifier: MIT
 *
 * Patterns of Lua 5.1 as patterns of PCRE2, which match the same bytes with the same captures. They
 * need the option PCRE2_DOTALL, and no other. */
#ifndef SH_TRANSLATE_H
#define SH_TRANSLATE_H

#include "stagehost/text.h"

struct sh__translation {
    char *text; /* the caller's, to be freed with sh_free */
    size_t len;
    uint32_t n_captures; /* of Lua; PCRE2 may have more groups */
    struct {
        uint32_t group; /* of PCRE2 */
        bool is_position;
    } captures[SH_CAPTURES_MAX];
};

/* Whether a pattern has a special character. If not, it stands for itself. */
bool sh__pattern_is_special(const char *pattern, size_t len);
/* SH_EINVAL: *problem, static, says what is wrong. SH_ENOMEM. Nothing is to be freed then. */
int sh__translate(const char *pattern, size_t len, struct sh__translation *out,
                  const char **problem);

#endif

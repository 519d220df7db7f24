/* SPDX-License-Identifier: MIT
 *
 * A growing string. When memory runs out, later text is dropped, and nothing else happens. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct cli_text {
    char *data; /* NUL-terminated; NULL as long as nothing was added */
    size_t len, capacity;
    bool is_cut; /* text is missing */
};

void cli_text_add_bytes(struct cli_text *text, const char *bytes, size_t len);
void cli_text_add(struct cli_text *text, const char *string);
void cli_text_addf(struct cli_text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Empties the text and keeps its memory. */
void cli_text_clear(struct cli_text *text);
void cli_text_fini(struct cli_text *text);
/* Never NULL. */
const char *cli_text_get(const struct cli_text *text);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The parts of a log line that several styles show, and the styles. Pure. */
#ifndef LOG_PARTS_H
#define LOG_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "command/log_format.h"

/* The message for styles that show the error beside it: in one line when it is the error's own
 * text. */
void log_part_message(struct cli_text *out, const struct log_line *line);
/* "stage: callback: message", followed by the traceback if the line is an error. */
void log_part_error(struct cli_text *out, const struct log_line *line);
/* Message and error as one sentence: many messages end with the error's own text. */
void log_part_sentence(struct cli_text *out, const struct log_line *line);
/* "2024-05-01T12:00:00.250Z" */
void log_part_utc_time(struct cli_text *out, const struct timespec *at);
/* Whether the character at `s` is a control character, U+0000 .. U+001F or U+007F .. U+009F,
 * which a terminal would obey. */
bool log_part_is_control(const char *s);
/* Adds the character at `s`; control characters, and bytes that are not UTF-8, as \xNN for each
 * byte. Returns the number of bytes taken from `s`. */
size_t log_part_add_char(struct cli_text *out, const char *s);

/* One style each. */
void log_format_text(struct cli_text *out, const struct log_line *line, bool colour);
void log_format_logfmt(struct cli_text *out, const struct log_line *line);
void log_format_json(struct cli_text *out, const struct log_line *line);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The parts of a log line that several styles show, and the styles. Pure. */
#ifndef LOG_PARTS_H
#define LOG_PARTS_H

#include <stdbool.h>

#include "command/log_format.h"

/* The message for styles that show the error beside it: cut to a line when it is the error's
 * own text. */
void log_part_message(struct cli_text *out, const struct log_line *line);
/* "stage: callback: message", and the traceback behind it when the line is an error. */
void log_part_error(struct cli_text *out, const struct log_line *line);
/* Message and error as one: many messages end with the error's own text. */
void log_part_sentence(struct cli_text *out, const struct log_line *line);
/* "2024-05-01T12:00:00.250Z" */
void log_part_utc_time(struct cli_text *out, const struct timespec *at);
/* Not for a terminal to see; a newline does not count. */
bool log_part_is_control(char c);

/* One style each. */
void log_format_text(struct cli_text *out, const struct log_line *line, bool colour);
void log_format_logfmt(struct cli_text *out, const struct log_line *line);
void log_format_json(struct cli_text *out, const struct log_line *line);

#endif

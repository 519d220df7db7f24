/* SPDX-License-Identifier: MIT
 *
 * One log record as text. Pure. */
#ifndef LOG_FORMAT_H
#define LOG_FORMAT_H

#include <time.h>

#include "command/text.h"
#include "stagehost.h"

enum log_style {
    LOG_STYLE_TEXT,   /* for people: local time, tracebacks over several lines */
    LOG_STYLE_COLOUR, /* text in colours */
    LOG_STYLE_LOGFMT, /* key=value, one line a record */
    LOG_STYLE_JSON,   /* one object a line */
};

struct log_line {
    struct timespec at;
    sh_log_level level;
    const char *stage; /* NULL: none */
    const char *message;
    const sh_error_fields *error; /* NULL: none */
    uint64_t repeats;   /* > 0: stands for this many records like one shown before */
    bool is_diagnostic; /* text styles: "stagehost: message", no time and level */
};

/* Adds the line and its newline. The keys of LOGFMT and JSON are ts, level, msg, stage,
 * err; keys without a value are left out of LOGFMT and null in JSON. Control characters, U+0000
 * .. U+001F and U+007F .. U+009F, and bytes that are not UTF-8 are shown as \xNN for each byte;
 * in JSON the former as \u00NN, the latter as U+FFFD. */
void log_format(struct cli_text *out, enum log_style style, const struct log_line *line);

#endif

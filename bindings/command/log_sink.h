/* SPDX-License-Identifier: MIT
 *
 * The sink formats log records, collapses repeats, and writes to a file descriptor. A record
 * like one that was written less than a second ago is only counted; the count is written when
 * the next such record comes later than that, or at the end. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include "command/log_format.h"
#include "command/text.h"
#include "stagehost.h"

enum { LOG_SINK_RECENT = 8 };

/* A record written lately. */
struct log_recent {
    char *key;             /* level, stage, message, error; NULL: free */
    char *stage, *message; /* to write the record again with its count */
    sh_log_level level;
    uint64_t written_ms;
    uint64_t repeats; /* not written since */
};

/* All fields are guarded like calls of log_sink_record: by the host's log lock, or by the use of
 * one thread only. */
struct log_sink {
    int fd;
    enum log_style style;
    uint64_t (*clock_ms)(void); /* monotonic; specs set their own */
    struct cli_text line;       /* reused */
    struct log_recent recent[LOG_SINK_RECENT];
    uint64_t n_errors; /* error records so far, repeats too */
};

/* Chooses the style: JSON if requested; else text when `fd` is a terminal, in colours unless
 * `no_color` is a non-empty string (the variable NO_COLOR) or `term` is "dumb"; else
 * logfmt. */
enum log_style log_sink_style(int fd, bool json, const char *no_color, const char *term);
void log_sink_open(struct log_sink *sink, int fd, enum log_style style);
/* An sh_log_fn; `data` is the sink. */
void log_sink_record(void *data, const sh_log_record *record);
/* Writes a message of the command itself: always, and never collapsed. `error` may be NULL. */
void log_sink_diagnose(struct log_sink *sink, sh_log_level level, const char *stage,
                       const sh_error *error, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Writes the counts of unwritten records, so that they come before later output. */
void log_sink_flush(struct log_sink *sink);
/* Flushes and frees. */
void log_sink_close(struct log_sink *sink);

#endif

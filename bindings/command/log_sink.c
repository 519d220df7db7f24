/* SPDX-License-Identifier: MIT */
#include "command/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLLAPSE_MS = 1000 };

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum log_style log_sink_style(int fd, bool json, const char *no_color, const char *term)
{
    if (json)
        return LOG_STYLE_JSON;
    if (!isatty(fd))
        return LOG_STYLE_LOGFMT;
    bool plain = (no_color && *no_color) || (term && strcmp(term, "dumb") == 0);
    return plain ? LOG_STYLE_TEXT : LOG_STYLE_COLOUR;
}

void log_sink_open(struct log_sink *sink, int fd, enum log_style style)
{
    *sink = (struct log_sink){.fd = fd, .style = style, .clock_ms = monotonic_ms};
}

/* A failure can't be reported anywhere and is ignored; a full pipe is waited for. */
static void write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd writable = {fd, POLLOUT, 0};
            poll(&writable, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return;
        } else if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

static void write_line(struct log_sink *sink, struct log_line *line)
{
    clock_gettime(CLOCK_REALTIME, &line->at);
    cli_text_clear(&sink->line);
    log_format(&sink->line, sink->style, line);
    write_all(sink->fd, cli_text_get(&sink->line), sink->line.len);
}

/* -- repeats --------------------------------------------------------------------------- */

static void write_repeats(struct log_sink *sink, struct log_recent *recent)
{
    struct log_line line = {.level = recent->level,
                            .stage = recent->stage,
                            .message = recent->message,
                            .repeats = recent->repeats};
    if (recent->repeats > 0)
        write_line(sink, &line);
    recent->repeats = 0;
}

static void forget(struct log_recent *recent)
{
    free(recent->key);
    free(recent->stage);
    free(recent->message);
    *recent = (struct log_recent){0};
}

/* Stages without a name count as the same stage, because each restart makes another stage. */
static const char *stage_key(const char *stage)
{
    if (!stage)
        return "";
    return stage[0] == '#' && stage[1 + strspn(stage + 1, "0123456789")] == '\0' ? "#"
                                                                                 : stage;
}

/* The key of a record: equal records have equal keys; malloc'd. */
static char *make_key(const sh_log_record *record)
{
    struct cli_text key = {0};
    const sh_error_fields *error = record->error ? sh_error_get(record->error) : NULL;
    cli_text_addf(&key, "%d\n%s\n%s\n", (int)record->level, stage_key(record->stage),
                  record->message ? record->message : "");
    if (error)
        cli_text_addf(&key, "%s\n%s\n%s", error->callback ? error->callback : "",
                      error->message ? error->message : "", error->name ? error->name : "");
    return key.data;
}

static char *copy_string(const char *string)
{
    return string ? strdup(string) : NULL;
}

/* The entry of `key`, or else the one written longest ago. */
static struct log_recent *find_recent(struct log_sink *sink, const char *key)
{
    struct log_recent *oldest = &sink->recent[0];
    for (size_t i = 0; i < LOG_SINK_RECENT; i++) {
        struct log_recent *recent = &sink->recent[i];
        if (recent->key && strcmp(recent->key, key) == 0)
            return recent;
        if (oldest->key && (!recent->key || recent->written_ms < oldest->written_ms))
            oldest = recent;
    }
    return oldest;
}

/* Writes the counts of records that have not come again within their second. */
static void write_due_repeats(struct log_sink *sink, uint64_t now_ms)
{
    for (size_t i = 0; i < LOG_SINK_RECENT; i++) {
        struct log_recent *recent = &sink->recent[i];
        if (recent->repeats > 0 && now_ms - recent->written_ms >= COLLAPSE_MS) {
            write_repeats(sink, recent);
            recent->written_ms = now_ms;
        }
    }
}

/* A count of records of several stages names no stage. */
static void note_stage(struct log_recent *recent, const char *stage)
{
    if (!recent->stage || (stage && strcmp(recent->stage, stage) == 0))
        return;
    free(recent->stage);
    recent->stage = NULL;
}

/* Whether the record is to be written now; notes the record in any case. */
static bool note_record(struct log_sink *sink, const sh_log_record *record, uint64_t now_ms)
{
    char *key = make_key(record);
    if (!key)
        return true;
    struct log_recent *recent = find_recent(sink, key);
    if (recent->key && strcmp(recent->key, key) == 0) {
        free(key);
        bool again = now_ms - recent->written_ms >= COLLAPSE_MS;
        recent->repeats += again ? 0 : 1;
        note_stage(recent, record->stage);
        recent->written_ms = again ? now_ms : recent->written_ms;
        return again;
    }
    write_repeats(sink, recent);
    forget(recent);
    *recent = (struct log_recent){.key = key,
                                  .stage = copy_string(record->stage),
                                  .message = copy_string(record->message),
                                  .level = record->level,
                                  .written_ms = now_ms};
    return true;
}

/* -- public ---------------------------------------------------------------------------- */

void log_sink_record(void *data, const sh_log_record *record)
{
    struct log_sink *sink = data;
    uint64_t now_ms = sink->clock_ms();
    sink->n_errors += record->level == SH_LOG_ERROR;
    write_due_repeats(sink, now_ms);
    if (!note_record(sink, record, now_ms))
        return;
    struct log_line line = {.level = record->level,
                            .stage = record->stage,
                            .message = record->message,
                            .error = record->error ? sh_error_get(record->error) : NULL};
    write_line(sink, &line);
}

void log_sink_diagnose(struct log_sink *sink, sh_log_level level, const char *stage,
                       const sh_error *error, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    struct log_line line = {.level = level,
                            .stage = stage,
                            .message = message,
                            .error = error ? sh_error_get(error) : NULL,
                            .is_diagnostic = true};
    write_line(sink, &line);
}

void log_sink_flush(struct log_sink *sink)
{
    for (size_t i = 0; i < LOG_SINK_RECENT; i++)
        write_repeats(sink, &sink->recent[i]);
}

void log_sink_close(struct log_sink *sink)
{
    log_sink_flush(sink);
    for (size_t i = 0; i < LOG_SINK_RECENT; i++)
        forget(&sink->recent[i]);
    cli_text_fini(&sink->line);
}

/* SPDX-License-Identifier: MIT */
#include "command/log_parts.h"

#include <string.h>

#include "native/utf8.h"

static void add_repeats(struct cli_text *out, const struct log_line *line)
{
    if (line->repeats > 0)
        cli_text_addf(out, " (repeated %llu more %s)", (unsigned long long)line->repeats,
                      line->repeats == 1 ? "time" : "times");
}

static const char *error_text(const sh_error_fields *error)
{
    const char *text = error->message ? error->message : error->name;
    return text ? text : "";
}

/* A list of several lines as one: "2 problems:\n  - a\n  - b" becomes "2 problems: a; b". */
static void add_as_line(struct cli_text *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        cli_text_add_bytes(out, text, len);
        bool is_head = len > 0 && text[len - 1] == ':';
        text += len;
        text += strspn(text, "\n\t ");
        if (strncmp(text, "- ", 2) == 0)
            text += 2;
        if (*text)
            cli_text_add(out, is_head ? " " : "; ");
    }
}

/* The message for styles that show the error beside it, which has the lines. */
void log_part_message(struct cli_text *out, const struct log_line *line)
{
    const char *message = line->message ? line->message : "";
    if (line->error && strcmp(message, error_text(line->error)) == 0)
        add_as_line(out, message);
    else
        cli_text_add(out, message);
    add_repeats(out, line);
}

/* "stage: callback: message", each part only if it exists, the stage only if it is not the
 * line's own. */
static void add_error_sentence(struct cli_text *out, const struct log_line *line)
{
    const sh_error_fields *error = line->error;
    if (error->stage && (!line->stage || strcmp(error->stage, line->stage) != 0))
        cli_text_addf(out, "%s: ", error->stage);
    const char *text = error_text(error);
    if (error->callback && strncmp(text, error->callback, strlen(error->callback)) != 0)
        cli_text_addf(out, "%s: ", error->callback);
    cli_text_add(out, text);
}

/* Only for error lines: stages that end as a consequence are reported with the sentence alone. A
 * traceback that starts with the message again is shown without it. */
static void add_traceback(struct cli_text *out, const struct log_line *line)
{
    const char *traceback = line->error->traceback;
    if (!traceback || !*traceback || line->level != SH_LOG_ERROR)
        return;
    const char *text = error_text(line->error);
    size_t len = strlen(text);
    if (strncmp(traceback, text, len) == 0 && traceback[len] == '\n')
        traceback += len + 1;
    cli_text_addf(out, "\n%s", traceback);
}

void log_part_error(struct cli_text *out, const struct log_line *line)
{
    add_error_sentence(out, line);
    add_traceback(out, line);
}

/* Message and error as one sentence: many messages end with the error's own text. */
void log_part_sentence(struct cli_text *out, const struct log_line *line)
{
    size_t start = out->len;
    cli_text_add(out, line->message ? line->message : "");
    if (!line->error) {
        add_repeats(out, line);
        return;
    }
    size_t len = strlen(error_text(line->error));
    bool is_tail = len > 0 && out->len - start >= len &&
                   strcmp(out->data + out->len - len, error_text(line->error)) == 0;
    if (is_tail)
        out->len -= len;
    else if (out->len > start)
        cli_text_add(out, ": ");
    add_error_sentence(out, line);
    add_repeats(out, line);
    add_traceback(out, line);
}

/* "2024-05-01T12:00:00.250Z" */
void log_part_utc_time(struct cli_text *out, const struct timespec *at)
{
    struct tm tm;
    char date[32];
    gmtime_r(&at->tv_sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    cli_text_addf(out, "%s.%03ldZ", date, at->tv_nsec / 1000000);
}

bool log_part_is_control(const char *string)
{
    const unsigned char *s = (const unsigned char *)string;
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0);
}

size_t log_part_add_char(struct cli_text *out, const char *s)
{
    size_t len = shl_utf8_length(s);
    if (len > 0 && !log_part_is_control(s)) {
        cli_text_add_bytes(out, s, len);
        return len;
    }
    if (len == 0)
        len = 1;
    for (size_t i = 0; i < len; i++)
        cli_text_addf(out, "\\x%02x", (unsigned char)s[i]);
    return len;
}

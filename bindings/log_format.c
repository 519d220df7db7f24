/* SPDX-License-Identifier: MIT
 *
 * Records come from scripts and their data: in the styles for people control characters are
 * shown as \xNN, so that no event can steer a terminal, and JSON is valid whatever the
 * bytes. */
#include "log_format.h"

#include <stdbool.h>
#include <string.h>

#include "cli_values.h"

/* -- the parts of a record
 * -------------------------------------------------------------------- */

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

/* For the styles that show the error beside it: one that is the error's text is cut to a
 * line. */
static void add_message(struct cli_text *out, const struct log_line *line)
{
    const char *message = line->message ? line->message : "";
    bool is_error = line->error && strcmp(message, error_text(line->error)) == 0;
    cli_text_add_bytes(out, message, is_error ? strcspn(message, "\n") : strlen(message));
    add_repeats(out, line);
}

/* "stage: callback: message", each part only if it is there and the stage not the line's
 * own. */
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

/* Only with an error: what ends in its wake is reported with the sentence alone. A
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

static void add_error(struct cli_text *out, const struct log_line *line)
{
    add_error_sentence(out, line);
    add_traceback(out, line);
}

/* Message and error as one sentence: many messages end with the error's own text. */
static void add_message_and_error(struct cli_text *out, const struct log_line *line)
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
static void add_utc_time(struct cli_text *out, const struct timespec *at)
{
    struct tm tm;
    char date[32];
    gmtime_r(&at->tv_sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    cli_text_addf(out, "%s.%03ldZ", date, at->tv_nsec / 1000000);
}

/* -- text
 * ------------------------------------------------------------------------------------- */

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\n') || c == 0x7f;
}

/* The control characters U+0080 .. U+009F, of two bytes in UTF-8. */
static bool is_wide_control(const char *s)
{
    return (unsigned char)s[0] == 0xc2 && ((unsigned char)s[1] & 0xe0) == 0x80;
}

/* What follows a newline is indented; a tab counts as indentation. */
static void add_for_people(struct cli_text *out, const char *string)
{
    for (; *string; string++) {
        if (*string == '\n' && string[1] != '\0')
            cli_text_add(out, "\n    ");
        else if (*string == '\t')
            cli_text_add(out, "    ");
        else if (is_control(*string) || is_wide_control(string))
            cli_text_addf(out, "\\x%02x", (unsigned char)*string);
        else if (*string != '\n')
            cli_text_add_bytes(out, string, 1);
    }
}

static void add_local_time(struct cli_text *out, const struct timespec *at)
{
    struct tm tm;
    char clock[16];
    localtime_r(&at->tv_sec, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    cli_text_addf(out, "%s.%03ld", clock, at->tv_nsec / 1000000);
}

static void add_text_head(struct cli_text *out, const struct log_line *line, bool colour)
{
    static const char *const colours[] = {
        [SH_LOG_OFF] = "0",   [SH_LOG_ERROR] = "1;31", [SH_LOG_WARN] = "33",
        [SH_LOG_INFO] = "32", [SH_LOG_DEBUG] = "2",    [SH_LOG_TRACE] = "2",
    };
    if (line->is_diagnostic) {
        cli_text_add(out, "stagehost: ");
        return;
    }
    add_local_time(out, &line->at);
    const char *level = cli_log_level_name(line->level);
    if (colour)
        cli_text_addf(out, " \033[%sm%-5s\033[0m ", colours[line->level], level);
    else
        cli_text_addf(out, " %-5s ", level);
}

static void format_text(struct cli_text *out, const struct log_line *line, bool colour)
{
    struct cli_text body = {0};
    if (line->stage)
        cli_text_addf(&body, "%s: ", line->stage);
    add_message_and_error(&body, line);
    add_text_head(out, line, colour);
    add_for_people(out, cli_text_get(&body));
    cli_text_add(out, "\n");
    cli_text_fini(&body);
}

/* -- logfmt
 * ----------------------------------------------------------------------------------- */

static void add_quoted_char(struct cli_text *out, char c)
{
    if (c == '"' || c == '\\')
        cli_text_addf(out, "\\%c", c);
    else if (c == '\n')
        cli_text_add(out, "\\n");
    else if (c == '\t')
        cli_text_add(out, "\\t");
    else if (is_control(c))
        cli_text_addf(out, "\\x%02x", (unsigned char)c);
    else
        cli_text_add_bytes(out, &c, 1);
}

/* Quoted unless it is one plain word. */
static void add_pair(struct cli_text *out, const char *key, const char *value)
{
    bool plain = *value != '\0';
    for (const char *p = value; *p && plain; p++)
        plain = *p != ' ' && *p != '=' && *p != '"' && *p != '\\' && *p != '\n' &&
                !is_control(*p);
    cli_text_addf(out, " %s=", key);
    if (plain) {
        cli_text_add(out, value);
        return;
    }
    cli_text_add(out, "\"");
    for (const char *p = value; *p; p++)
        add_quoted_char(out, *p);
    cli_text_add(out, "\"");
}

static void format_logfmt(struct cli_text *out, const struct log_line *line)
{
    struct cli_text part = {0};
    cli_text_add(out, "ts=");
    add_utc_time(out, &line->at);
    cli_text_addf(out, " level=%s", cli_log_level_name(line->level));
    add_message(&part, line);
    add_pair(out, "msg", cli_text_get(&part));
    if (line->stage)
        add_pair(out, "stage", line->stage);
    if (line->error) {
        cli_text_clear(&part);
        add_error(&part, line);
        add_pair(out, "err", cli_text_get(&part));
    }
    cli_text_add(out, "\n");
    cli_text_fini(&part);
}

/* -- JSON
 * ------------------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629: no overlong forms, no
 * surrogates). */
static size_t utf8_length(const char *string)
{
    const unsigned char *s = (const unsigned char *)string;
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool beyond = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

static void add_json_string(struct cli_text *out, const char *string)
{
    cli_text_add(out, "\"");
    while (*string) {
        size_t len = utf8_length(string);
        if (len == 0)
            cli_text_add(out, "\\ufffd");
        else if (is_control(*string) && *string != '\t')
            cli_text_addf(out, "\\u%04x", (unsigned char)*string);
        else if (len == 1)
            add_quoted_char(out, *string);
        else
            cli_text_add_bytes(out, string, len);
        string += len ? len : 1;
    }
    cli_text_add(out, "\"");
}

static void format_json(struct cli_text *out, const struct log_line *line)
{
    struct cli_text part = {0};
    cli_text_add(out, "{\"ts\":\"");
    add_utc_time(out, &line->at);
    cli_text_addf(out, "\",\"level\":\"%s\",\"msg\":", cli_log_level_name(line->level));
    add_message(&part, line);
    add_json_string(out, cli_text_get(&part));
    cli_text_add(out, ",\"stage\":");
    if (line->stage)
        add_json_string(out, line->stage);
    else
        cli_text_add(out, "null");
    cli_text_add(out, ",\"err\":");
    cli_text_clear(&part);
    if (line->error) {
        add_error(&part, line);
        add_json_string(out, cli_text_get(&part));
    } else {
        cli_text_add(out, "null");
    }
    cli_text_add(out, "}\n");
    cli_text_fini(&part);
}

void log_format(struct cli_text *out, enum log_style style, const struct log_line *line)
{
    switch (style) {
    case LOG_STYLE_TEXT:
    case LOG_STYLE_COLOUR:
        format_text(out, line, style == LOG_STYLE_COLOUR);
        break;
    case LOG_STYLE_LOGFMT:
        format_logfmt(out, line);
        break;
    case LOG_STYLE_JSON:
        format_json(out, line);
        break;
    }
}

/* SPDX-License-Identifier: MIT
 *
 * Log lines for programs: key=value and JSON. Both are always valid UTF-8 without control
 * characters, since people read logs on terminals, too. Bytes that are not UTF-8 become \xNN in
 * the first; in the second, which has no escape for them, U+FFFD. */
#include <string.h>

#include "command/log_parts.h"
#include "command/values.h"
#include "native/utf8.h"

/* -- logfmt ---------------------------------------------------------------------------- */

/* Adds an escape that logfmt and JSON have in common; returns whether the character has one. */
static bool add_short_escape(struct cli_text *out, char c)
{
    if (c == '"' || c == '\\')
        cli_text_addf(out, "\\%c", c);
    else if (c == '\n')
        cli_text_add(out, "\\n");
    else if (c == '\t')
        cli_text_add(out, "\\t");
    else
        return false;
    return true;
}

/* Whether a value needs no quotes: one word of which every character is shown as it is. */
static bool is_plain(const char *value)
{
    size_t len;
    if (*value == '\0')
        return false;
    for (; *value; value += len) {
        len = shl_utf8_length(value);
        if (len == 0 || strchr(" =\"\\", *value) || log_part_is_control(value))
            return false;
    }
    return true;
}

static void add_pair(struct cli_text *out, const char *key, const char *value)
{
    cli_text_addf(out, " %s=", key);
    if (is_plain(value)) {
        cli_text_add(out, value);
        return;
    }
    cli_text_add(out, "\"");
    while (*value)
        value += add_short_escape(out, *value) ? 1 : log_part_add_char(out, value);
    cli_text_add(out, "\"");
}

void log_format_logfmt(struct cli_text *out, const struct log_line *line)
{
    struct cli_text part = {0};
    cli_text_add(out, "ts=");
    log_part_utc_time(out, &line->at);
    cli_text_addf(out, " level=%s", cli_log_level_name(line->level));
    log_part_message(&part, line);
    add_pair(out, "msg", cli_text_get(&part));
    if (line->stage)
        add_pair(out, "stage", line->stage);
    if (line->error) {
        cli_text_clear(&part);
        log_part_error(&part, line);
        add_pair(out, "err", cli_text_get(&part));
    }
    cli_text_add(out, "\n");
    cli_text_fini(&part);
}

/* -- JSON ------------------------------------------------------------------------------ */

/* Adds the character at `s`; returns its length. The last byte of a control character is its
 * number, whether it has one byte or two. */
static size_t add_json_char(struct cli_text *out, const char *s)
{
    size_t len = shl_utf8_length(s);
    if (len == 0)
        cli_text_add(out, "\\ufffd");
    else if (add_short_escape(out, *s))
        return 1;
    else if (log_part_is_control(s))
        cli_text_addf(out, "\\u%04x", (unsigned char)s[len - 1]);
    else
        cli_text_add_bytes(out, s, len);
    return len ? len : 1;
}

static void add_json_string(struct cli_text *out, const char *string)
{
    cli_text_add(out, "\"");
    while (*string)
        string += add_json_char(out, string);
    cli_text_add(out, "\"");
}

void log_format_json(struct cli_text *out, const struct log_line *line)
{
    struct cli_text part = {0};
    cli_text_add(out, "{\"ts\":\"");
    log_part_utc_time(out, &line->at);
    cli_text_addf(out, "\",\"level\":\"%s\",\"msg\":", cli_log_level_name(line->level));
    log_part_message(&part, line);
    add_json_string(out, cli_text_get(&part));
    cli_text_add(out, ",\"stage\":");
    if (line->stage)
        add_json_string(out, line->stage);
    else
        cli_text_add(out, "null");
    cli_text_add(out, ",\"err\":");
    cli_text_clear(&part);
    if (line->error) {
        log_part_error(&part, line);
        add_json_string(out, cli_text_get(&part));
    } else {
        cli_text_add(out, "null");
    }
    cli_text_add(out, "}\n");
    cli_text_fini(&part);
}

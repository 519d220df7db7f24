/* SPDX-License-Identifier: MIT
 *
 * Log lines for programs: key=value and JSON. JSON is valid whatever the bytes. */
#include "command/log_parts.h"
#include "command/values.h"

/* -- logfmt ---------------------------------------------------------------------------- */

static void add_quoted_char(struct cli_text *out, char c)
{
    if (c == '"' || c == '\\')
        cli_text_addf(out, "\\%c", c);
    else if (c == '\n')
        cli_text_add(out, "\\n");
    else if (c == '\t')
        cli_text_add(out, "\\t");
    else if (log_part_is_control(c))
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
                !log_part_is_control(*p);
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
        else if (log_part_is_control(*string) && *string != '\t')
            cli_text_addf(out, "\\u%04x", (unsigned char)*string);
        else if (len == 1)
            add_quoted_char(out, *string);
        else
            cli_text_add_bytes(out, string, len);
        string += len ? len : 1;
    }
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

/* SPDX-License-Identifier: MIT
 *
 * Log lines for people. Messages come from scripts and their data: control characters, and
 * bytes that are not UTF-8, are shown as \xNN, so that no event can control a terminal. */
#include "command/log_parts.h"
#include "command/values.h"

/* The text after a newline is indented; a tab counts as indentation. */
static void add_for_people(struct cli_text *out, const char *string)
{
    while (*string) {
        size_t len = 1;
        if (*string == '\t')
            cli_text_add(out, "    ");
        else if (*string != '\n')
            len = log_part_add_char(out, string);
        else if (string[1] != '\0')
            cli_text_add(out, "\n    ");
        string += len;
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

void log_format_text(struct cli_text *out, const struct log_line *line, bool colour)
{
    struct cli_text body = {0};
    if (line->stage)
        cli_text_addf(&body, "%s: ", line->stage);
    log_part_sentence(&body, line);
    add_text_head(out, line, colour);
    add_for_people(out, cli_text_get(&body));
    cli_text_add(out, "\n");
    cli_text_fini(&body);
}

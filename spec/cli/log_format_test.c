/* SPDX-License-Identifier: MIT
 *
 * Log records as lines, in every style, and repeats as counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/log_sink.h"
#include "test.h"

static struct cli_text out;

static const char *format(enum log_style style, const struct log_line *line)
{
    cli_text_clear(&out);
    log_format(&out, style, line);
    return cli_text_get(&out);
}

static struct log_line make_line(sh_log_level level, const char *stage, const char *message,
                                 const sh_error_fields *error)
{
    return (struct log_line){.at = {1700000000, 250999999},
                             .level = level,
                             .stage = stage,
                             .message = message,
                             .error = error};
}

static const sh_error_fields raised = {
    .kind = SH_REASON_RAISED,
    .name = "error",
    .message = "a.lua:3: boom",
    .stage = "printer",
    .callback = "handle_events",
    .traceback = "a.lua:3: boom\nstack traceback:\n\ta.lua:3: in function <a.lua:2>",
};

static void test_logfmt(void)
{
    struct log_line line = make_line(SH_LOG_WARN, NULL, "word", NULL);
    CHECK_TEXT(format(LOG_STYLE_LOGFMT, &line),
               "ts=2023-11-14T22:13:20.250Z level=warn msg=word\n");
    line = make_line(SH_LOG_INFO, "a b", "say \"hi\"\\\n\ttwo \x1b[1m", NULL);
    CHECK_TEXT(format(LOG_STYLE_LOGFMT, &line),
               "ts=2023-11-14T22:13:20.250Z level=info msg=\"say \\\"hi\\\"\\\\\\n\\ttwo "
               "\\x1b[1m\" stage=\"a b\"\n");
    line = make_line(SH_LOG_ERROR, "printer", "a.lua:3: boom", &raised);
    CHECK_TEXT(
        format(LOG_STYLE_LOGFMT, &line),
        "ts=2023-11-14T22:13:20.250Z level=error msg=\"a.lua:3: boom\" stage=printer "
        "err=\"handle_events: a.lua:3: boom\\nstack traceback:\\n\\ta.lua:3: in function "
        "<a.lua:2>\"\n");
    line = make_line(SH_LOG_WARN, NULL, "", NULL);
    CHECK_TEXT(format(LOG_STYLE_LOGFMT, &line),
               "ts=2023-11-14T22:13:20.250Z level=warn msg=\"\"\n");
}

static void test_json(void)
{
    struct log_line line = make_line(SH_LOG_WARN, NULL, "word", NULL);
    CHECK_TEXT(format(LOG_STYLE_JSON, &line),
               "{\"ts\":\"2023-11-14T22:13:20.250Z\",\"level\":\"warn\",\"msg\":\"word\","
               "\"stage\":null,\"err\":null}\n");
    line = make_line(SH_LOG_ERROR, "consumer", "stops", &raised);
    CHECK_TEXT(
        format(LOG_STYLE_JSON, &line),
        "{\"ts\":\"2023-11-14T22:13:20.250Z\",\"level\":\"error\",\"msg\":\"stops\","
        "\"stage\":\"consumer\",\"err\":\"printer: handle_events: a.lua:3: boom\\nstack "
        "traceback:\\n\\ta.lua:3: in function <a.lua:2>\"}\n");
}

/* What stands between the first `start` of the line and the `stop` behind it. */
static const char *between(const char *text, const char *start, const char *stop)
{
    static char part[256];
    text = strstr(text, start) + strlen(start);
    size_t len = (size_t)(strstr(text, stop) - text);
    memcpy(part, text, len);
    part[len] = '\0';
    return part;
}

static const char *json_message(const char *message)
{
    struct log_line line = make_line(SH_LOG_WARN, NULL, message, NULL);
    return between(format(LOG_STYLE_JSON, &line), "\"msg\":\"", "\",\"stage\"");
}

static const char *logfmt_message(const char *message)
{
    struct log_line line = make_line(SH_LOG_WARN, NULL, message, NULL);
    return between(format(LOG_STYLE_LOGFMT, &line), "msg=", "\n");
}

static const char *text_message(const char *message)
{
    struct log_line line = make_line(SH_LOG_WARN, NULL, message, NULL);
    return between(format(LOG_STYLE_TEXT, &line), "warn  ", "\n");
}

static void test_json_is_utf8(void)
{
    CHECK_TEXT(json_message("\x01\"\\\r\x7f"), "\\u0001\\\"\\\\\\u000d\\u007f");
    CHECK_TEXT(json_message("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"),
               "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    CHECK_TEXT(json_message("\xc2\x80\xc2\x9b\xc2\xa0"), "\\u0080\\u009b\xc2\xa0");
    CHECK_TEXT(json_message("\xff-\xc3"), "\\ufffd-\\ufffd");
    CHECK_TEXT(json_message("\xc0\xaf"), "\\ufffd\\ufffd");            /* overlong */
    CHECK_TEXT(json_message("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd"); /* surrogate */
    CHECK_TEXT(json_message("\xe2\x82"), "\\ufffd\\ufffd");            /* cut off */
}

/* Of logfmt and of text: what they show of bytes that a terminal would obey, or that are no
 * text. */
static const struct {
    const char *message, *shown;
} strange[] = {
    {"bell\a", "bell\\x07"},
    {"\x1b[1m\x7f", "\\x1b[1m\\x7f"},
    {"\xc2\x9b"
     "1m",
     "\\xc2\\x9b1m"},
    {"\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f"},
    {"\x9b"
     "1m",
     "\\x9b1m"},
    {"\xff-\xc3", "\\xff-\\xc3"},
    {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
    {"\xe2\x82", "\\xe2\\x82"},                   /* cut off */
    {"\xe2\x82\x1b", "\\xe2\\x82\\x1b"},
};

static void test_what_is_no_text_is_shown_as_bytes(void)
{
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", strange[i].shown);
        CHECK_TEXT(logfmt_message(strange[i].message), quoted);
        CHECK_TEXT(text_message(strange[i].message), strange[i].shown);
    }
}

static void test_what_is_text_stays(void)
{
    static const char text[] = "gr\xc3\xbc\xc3\x9f\xc2\xa0\xf0\x9f\x98\x80";
    CHECK_TEXT(logfmt_message(text), text);
    CHECK_TEXT(text_message(text), text);
}

static void test_stage_and_error_are_shown_as_bytes(void)
{
    sh_error_fields error = raised;
    error.message = "a\x9b";
    error.traceback = NULL;
    struct log_line line = make_line(SH_LOG_WARN, "s\xc2\x9b", "m", &error);
    CHECK_TEXT(format(LOG_STYLE_LOGFMT, &line),
               "ts=2023-11-14T22:13:20.250Z level=warn msg=m stage=\"s\\xc2\\x9b\" "
               "err=\"printer: handle_events: a\\x9b\"\n");
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line),
               "22:13:20.250 warn  s\\xc2\\x9b: m: printer: handle_events: a\\x9b\n");
    CHECK_TEXT(format(LOG_STYLE_JSON, &line),
               "{\"ts\":\"2023-11-14T22:13:20.250Z\",\"level\":\"warn\",\"msg\":\"m\","
               "\"stage\":\"s\\u009b\",\"err\":\"printer: handle_events: a\\ufffd\"}\n");
}

static void test_text(void)
{
    struct log_line line = make_line(SH_LOG_WARN, "printer", "slow", NULL);
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line), "22:13:20.250 warn  printer: slow\n");
    CHECK_TEXT(format(LOG_STYLE_COLOUR, &line),
               "22:13:20.250 \033[33mwarn \033[0m printer: slow\n");
    line = make_line(SH_LOG_ERROR, "printer", "a.lua:3: boom", &raised);
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line),
               "22:13:20.250 error printer: handle_events: a.lua:3: boom\n"
               "    stack traceback:\n"
               "        a.lua:3: in function <a.lua:2>\n");
    line = make_line(SH_LOG_INFO, "sink", "stops: a.lua:3: boom", &raised);
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line),
               "22:13:20.250 info  sink: stops: printer: handle_events: a.lua:3: boom\n");
    line = make_line(SH_LOG_ERROR, NULL, "x.lua: no such file", NULL);
    line.is_diagnostic = true;
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line), "stagehost: x.lua: no such file\n");
    line = make_line(SH_LOG_WARN, NULL, "again", NULL);
    line.repeats = 3;
    CHECK_TEXT(format(LOG_STYLE_TEXT, &line),
               "22:13:20.250 warn  again (repeated 3 more times)\n");
}

/* -- the sink ------------------------------------------------------------------------ */

static uint64_t now_ms;
static int pipe_fds[2];
static struct log_sink sink;

static uint64_t fake_clock(void)
{
    return now_ms;
}

static void record_at(uint64_t ms, const char *stage, const char *message)
{
    sh_log_record record = {.level = SH_LOG_WARN, .stage = stage, .message = message};
    now_ms = ms;
    log_sink_record(&sink, &record);
}

static void open_sink(void)
{
    CHECK_INT(pipe(pipe_fds), 0);
    log_sink_open(&sink, pipe_fds[1], LOG_STYLE_LOGFMT);
    sink.clock_ms = fake_clock;
}

/* All that was written, without the times. */
static const char *close_sink(void)
{
    static char text[8192];
    log_sink_close(&sink);
    close(pipe_fds[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(pipe_fds[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(pipe_fds[0]);
    cli_text_clear(&out);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        cli_text_addf(&out, "%s\n", strstr(line, "msg="));
    return cli_text_get(&out);
}

static void test_repeats_are_counted(void)
{
    open_sink();
    record_at(5000, "a", "full");
    record_at(5001, "a", "full");
    record_at(5400, "b", "full");
    record_at(5999, "a", "full");
    CHECK_TEXT(close_sink(), "msg=full stage=a\n"
                             "msg=full stage=b\n"
                             "msg=\"full (repeated 2 more times)\" stage=a\n");
}

static void test_stages_without_names_repeat_each_other(void)
{
    open_sink();
    record_at(5000, "#12", "boom");
    record_at(5001, "#13", "boom");
    record_at(5002, "#main.lua", "boom");
    record_at(5003, "#14", "boom");
    CHECK_TEXT(close_sink(), "msg=boom stage=#12\n"
                             "msg=boom stage=#main.lua\n"
                             "msg=\"boom (repeated 2 more times)\"\n");
}

static void test_repeats_are_written_when_due(void)
{
    open_sink();
    record_at(5000, NULL, "x");
    record_at(5500, NULL, "x");
    record_at(6100, NULL, "x");
    record_at(6200, NULL, "y");
    record_at(7200, NULL, "y");
    CHECK_TEXT(close_sink(), "msg=x\n"
                             "msg=\"x (repeated 1 more time)\"\n"
                             "msg=y\n"
                             "msg=\"x (repeated 1 more time)\"\n"
                             "msg=y\n");
}

static void test_many_different(void)
{
    open_sink();
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < LOG_SINK_RECENT; i++)
            record_at(5000 + (uint64_t)i, NULL, &"abcdefgh"[i]);
    record_at(5100, NULL, "new"); /* displaces the oldest, whose count is not lost */
    const char *text = close_sink();
    CHECK(strstr(text, "msg=\"abcdefgh (repeated 1 more time)\"\nmsg=new\n") != NULL);
    CHECK(strstr(text, "msg=\"h (repeated 1 more time)\"\n") != NULL);
}

static void test_style(void)
{
    int fds[2];
    CHECK_INT(pipe(fds), 0);
    CHECK_INT(log_sink_style(fds[1], true, NULL, NULL), LOG_STYLE_JSON);
    CHECK_INT(log_sink_style(fds[1], false, NULL, NULL), LOG_STYLE_LOGFMT);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    test_logfmt();
    test_json();
    test_json_is_utf8();
    test_what_is_no_text_is_shown_as_bytes();
    test_what_is_text_stays();
    test_stage_and_error_are_shown_as_bytes();
    test_text();
    test_repeats_are_counted();
    test_stages_without_names_repeat_each_other();
    test_repeats_are_written_when_due();
    test_many_different();
    test_style();
    cli_text_fini(&out);
    return test_end();
}

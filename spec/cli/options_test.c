/* SPDX-License-Identifier: MIT
 *
 * The command line as a struct: what is accepted, what wins, and how a mistake is told. */
#include <stdio.h>
#include <string.h>

#include "command/help.h"
#include "command/options.h"
#include "command/values.h"
#include "test.h"

enum { MOST_WORDS = 16 };

static struct cli_options options;
static struct cli_text why;
static const char *env_name, *env_value;

static char *fake_env(const char *name)
{
    return env_name && strcmp(name, env_name) == 0 ? (char *)env_value : NULL;
}

/* Words are separated by spaces. */
static enum cli_request parse(const char *line)
{
    static char words[256];
    static char *argv[MOST_WORDS + 1];
    int argc = 0;
    cli_options_fini(&options);
    cli_text_clear(&why);
    snprintf(words, sizeof words, "stagehost %s", line);
    for (char *word = strtok(words, " "); word && argc < MOST_WORDS;
         word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return cli_options_parse(&options, argc, argv, fake_env, &why);
}

static enum cli_request parse_with(const char *name, const char *value, const char *line)
{
    env_name = name;
    env_value = value;
    enum cli_request request = parse(line);
    env_name = NULL;
    return request;
}

/* The sentence about a wrong line; "" for a right one. */
static const char *refuse(const char *line)
{
    return parse(line) == CLI_USAGE_ERROR ? cli_text_get(&why) : "";
}

static void test_defaults(void)
{
    CHECK_INT(parse(""), CLI_RUN);
    CHECK(options.script == NULL);
    CHECK_INT(options.workers, 0);
    CHECK_INT((int64_t)options.drain_timeout_ms, 30000);
    CHECK_INT(options.log_level, SH_LOG_INFO);
    CHECK(!options.log_json);
    CHECK(!options.seeded);
}

static void test_script_ends_options(void)
{
    CHECK_INT(parse("-w 3 a.lua -w x --help"), CLI_RUN);
    CHECK_TEXT(options.script, "a.lua");
    CHECK_INT(options.workers, 3);
    CHECK_INT((int64_t)options.n_args, 3);
    CHECK_TEXT(options.args[0], "-w");
    CHECK_TEXT(options.args[2], "--help");
    CHECK_INT(parse("- one"), CLI_RUN);
    CHECK_TEXT(options.script, "-");
    CHECK_INT((int64_t)options.n_args, 1);
    CHECK_INT(parse("-q -- -a.lua -b"), CLI_RUN);
    CHECK_TEXT(options.script, "-a.lua");
    CHECK_TEXT(options.args[0], "-b");
}

static void test_verbs(void)
{
    CHECK_INT(parse("run -q a.lua"), CLI_RUN);
    CHECK_TEXT(options.script, "a.lua");
    CHECK_INT(parse("run run"), CLI_RUN);
    CHECK_TEXT(options.script, "run");
    CHECK_TEXT(refuse("graph"),
               "'graph' is not available yet (a script of that name: ./graph)");
    CHECK_INT(parse("./graph"), CLI_RUN);
    CHECK_INT(parse("frobnicate"), CLI_RUN);
    CHECK_TEXT(options.script, "frobnicate");
}

static void test_forms(void)
{
    CHECK_INT(parse("-w4 --seed=7 -w 1 x"), CLI_RUN);
    CHECK_INT(options.workers, 1);
    CHECK_INT((int64_t)options.seed, 7);
    CHECK(options.seeded);
    CHECK_INT(parse("-qw2 -ea -e b -llfs x"), CLI_RUN);
    CHECK_INT(options.log_level, SH_LOG_ERROR);
    CHECK_INT(options.workers, 2);
    CHECK_INT((int64_t)options.n_code, 2);
    CHECK_TEXT(options.code[1], "b");
    CHECK_TEXT(options.libraries[1], "lfs");
    CHECK_INT(parse("--log-format json --drain-timeout 2m"), CLI_RUN);
    CHECK(options.log_json);
    CHECK_INT((int64_t)options.drain_timeout_ms, 120000);
    CHECK_INT(parse("--max-demand 20"), CLI_RUN);
    CHECK_INT((int64_t)options.max_demand, 20);
    CHECK_INT(parse("-h --nonsense"), CLI_HELP);
    CHECK_INT(parse("--version"), CLI_VERSION);
    CHECK_INT(parse("-qV"), CLI_VERSION);
}

static void test_levels(void)
{
    parse("-v");
    CHECK_INT(options.log_level, SH_LOG_DEBUG);
    parse("-vv");
    CHECK_INT(options.log_level, SH_LOG_TRACE);
    parse("-v --log-level warn");
    CHECK_INT(options.log_level, SH_LOG_WARN);
    parse("--log-level off -v");
    CHECK_INT(options.log_level, SH_LOG_DEBUG);
}

static void test_mistakes(void)
{
    CHECK_TEXT(refuse("--wrokers 3"), "unknown option --wrokers (did you mean --workers?)");
    CHECK_TEXT(refuse("--wrokers=3"), "unknown option --wrokers (did you mean --workers?)");
    CHECK_TEXT(refuse("--frobnicate"), "unknown option --frobnicate");
    CHECK_TEXT(refuse("-qz"), "unknown option -z");
    CHECK_TEXT(refuse("--workers"), "--workers needs a value: N");
    CHECK_TEXT(refuse("-e"), "-e needs a value: CODE");
    CHECK_TEXT(refuse("--help=me"), "--help takes no value");
    CHECK_TEXT(refuse("-w 0"), "-w: expected a whole number from 1 to 1024, not '0'");
    CHECK_TEXT(refuse("--workers=-1"),
               "--workers: expected a whole number from 1 to 1024, not '-1'");
    CHECK_TEXT(refuse("--log-level loud"),
               "--log-level: expected off, error, warn, info, debug or trace, not 'loud'");
    CHECK_TEXT(refuse("--log-format xml"),
               "--log-format: expected text or json, not 'xml'");
    CHECK_TEXT(refuse("-i"), "-i: the prompt is not available yet");
    CHECK_TEXT(refuse("--seed 1 -w 2 x"),
               "a seed (--seed, STAGEHOST_SEED) needs one worker, not 2; add -w 1");
}

static void test_environment(void)
{
    CHECK_INT(parse_with("STAGEHOST_WORKERS", "5", "x"), CLI_RUN);
    CHECK_INT(options.workers, 5);
    CHECK_INT(parse_with("STAGEHOST_WORKERS", "5", "-w 2 x"), CLI_RUN);
    CHECK_INT(options.workers, 2);
    CHECK_INT(parse_with("STAGEHOST_WORKERS", "", "x"), CLI_RUN);
    CHECK_INT(parse_with("STAGEHOST_DRAIN_TIMEOUT", "none", "x"), CLI_RUN);
    CHECK_INT((int64_t)options.drain_timeout_ms, 0);
    CHECK_INT(parse_with("STAGEHOST_LOG_LEVEL", "trace", "x"), CLI_RUN);
    CHECK_INT(options.log_level, SH_LOG_TRACE);
    CHECK_INT(parse_with("STAGEHOST_LOG_LEVEL", "trace", "-q x"), CLI_RUN);
    CHECK_INT(options.log_level, SH_LOG_ERROR);
    CHECK_INT(parse_with("STAGEHOST_WORKERS", "many", "x"), CLI_USAGE_ERROR);
    CHECK_TEXT(cli_text_get(&why),
               "STAGEHOST_WORKERS: expected a whole number from 1 to 1024, not 'many'");
    CHECK_INT(parse_with("STAGEHOST_WORKERS", "many", "--help"), CLI_HELP);
}

static void test_durations(void)
{
    static const struct {
        const char *word;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"30s", 30000},  {"500ms", 500}, {"1.5s", 1500},      {"2m", 120000},
        {"1h", 3600000}, {"7", 7000},    {"0.5m", 30000},     {"none", 0},
        {"0", -1},       {"0ms", -1},    {"-1s", -1},         {"", -1},
        {"s", -1},       {"1 s", -1},    {"1d", -1},          {"1.", -1},
        {".5s", -1},     {"0.4ms", -1},  {"9999999999s", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t ms = 0;
        bool ok = cli_parse_duration(cases[i].word, &ms);
        if (!CHECK_INT(ok ? (int64_t)ms : -1, cases[i].ms))
            printf("  for \"%s\"\n", cases[i].word);
    }
}

static void test_counts(void)
{
    uint64_t n;
    CHECK(cli_parse_count("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
    CHECK(!cli_parse_count("18446744073709551616", 0, UINT64_MAX, &n));
    CHECK(!cli_parse_count("99999999999999999999", 0, UINT64_MAX, &n));
    CHECK(!cli_parse_count("1x", 0, 10, &n));
    CHECK(!cli_parse_count("+1", 0, 10, &n));
    CHECK(!cli_parse_count("11", 0, 10, &n));
}

static void test_edit_distance(void)
{
    CHECK_INT(cli_edit_distance("", ""), 0);
    CHECK_INT(cli_edit_distance("", "abc"), 3);
    CHECK_INT(cli_edit_distance("workers", "workers"), 0);
    CHECK_INT(cli_edit_distance("wrokers", "workers"), 1);
    CHECK_INT(cli_edit_distance("worker", "workers"), 1);
    CHECK_INT(cli_edit_distance("seeds", "send"), 2);
    CHECK_INT(cli_edit_distance("kitten", "sitting"), 3);
}

/* Nothing in the table is missing from the help. */
static void test_help(void)
{
    struct cli_text help = {0};
    cli_help(&help);
    for (const struct cli_option *option = cli_option_table; option->help; option++) {
        struct cli_text name = {0};
        const char *shown = option->name;
        if (cli_option_env_name(option, &name))
            CHECK(strstr(cli_text_get(&help), cli_text_get(&name)) != NULL);
        if (shown)
            CHECK(strstr(cli_text_get(&help), shown) != NULL);
        cli_text_fini(&name);
    }
    for (const char *line = cli_text_get(&help); *line; line++) {
        size_t len = strcspn(line, "\n");
        CHECK(len <= 100);
        line += len;
    }
    cli_text_fini(&help);
}

int main(void)
{
    test_defaults();
    test_script_ends_options();
    test_verbs();
    test_forms();
    test_levels();
    test_mistakes();
    test_environment();
    test_durations();
    test_counts();
    test_edit_distance();
    test_help();
    cli_options_fini(&options);
    cli_text_fini(&why);
    return test_end();
}

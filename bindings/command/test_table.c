/* SPDX-License-Identifier: MIT
 *
 * The meaning of each option of the verb test. */
#include <string.h>

#include "command/options.h"
#include "command/values.h"

enum { MOST_REPEATS = 1000000 };

static const char *apply_seed(struct cli_options *options, const char *value)
{
    if (!cli_parse_count(value, 0, UINT64_C(1) << 53, &options->seed))
        return "expected a whole number from 0 to 9007199254740992";
    options->seeded = true;
    return NULL;
}

static const char *apply_repeat(struct cli_options *options, const char *value)
{
    if (!cli_parse_count(value, 1, MOST_REPEATS, &options->repeat))
        return "expected a whole number from 1 to 1000000";
    return NULL;
}

static const char *apply_filter(struct cli_options *options, const char *value)
{
    options->filter = value;
    return NULL;
}

static const char *apply_output(struct cli_options *options, const char *value)
{
    options->output_json = strcmp(value, "json") == 0;
    if (!options->output_json && strcmp(value, "tap") != 0)
        return "expected tap or json";
    return NULL;
}

/* The option has no value on the command line, but has one in the environment. */
static const char *apply_update(struct cli_options *options, const char *value)
{
    if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "expected 0 or 1";
    options->update = !value || *value == '1';
    return NULL;
}

static const char *apply_timeout(struct cli_options *options, const char *value)
{
    if (!cli_parse_duration(value, &options->test_timeout_ms))
        return "expected a time above zero such as 500ms, 10s or 2m, or none";
    return NULL;
}

const struct cli_option cli_test_table[] = {
    {0, "seed", "N", "the order in which stages run is shuffled by N (default: 0)",
     apply_seed, CLI_TEST},
    {0, "repeat", "N", "run each test N times, with the seeds that follow (default: 1)",
     apply_repeat, CLI_TEST},
    {0, "filter", "PATTERN", "only tests whose name has this Lua pattern", apply_filter,
     CLI_TEST},
    {0, "output", "FORMAT", "tap, or json: one object a line (default: tap)", apply_output,
     CLI_TEST},
    {0, "update", NULL, "write golden files instead of comparing with them", apply_update,
     CLI_TEST},
    {0, "timeout", "TIME",
     "real time that a test may take: 500ms, 10s, 2m, none\n"
     "(default: 10s)",
     apply_timeout, CLI_TEST},
    {'h', "help", NULL, "print this text and exit", NULL, CLI_TEST_HELP},
    {0, NULL, NULL, NULL, NULL, CLI_TEST},
};

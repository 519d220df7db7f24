/* SPDX-License-Identifier: MIT
 *
 * The meaning of each option of the command. */
#include <string.h>

#include "command/options.h"
#include "command/values.h"

enum { MOST_WORKERS = 1024, MOST_DEMAND = 1000000000 };

/* Code on the command line has the fields of the module `stagehost` as globals, on every worker. */
static const char *apply_code(struct cli_options *options, const char *value)
{
    if (options->n_code == 0)
        options->libraries[options->n_libraries++] = "stagehost.engine.prelude";
    options->code[options->n_code++] = value;
    return NULL;
}

static const char *apply_library(struct cli_options *options, const char *value)
{
    if (*value == '\0')
        return "expected the name of a module";
    options->libraries[options->n_libraries++] = value;
    return NULL;
}

static const char *apply_prompt(struct cli_options *options, const char *value)
{
    (void)options, (void)value;
    return "the prompt is not available yet";
}

static const char *apply_workers(struct cli_options *options, const char *value)
{
    uint64_t n;
    if (!cli_parse_count(value, 1, MOST_WORKERS, &n))
        return "expected a whole number from 1 to 1024";
    options->workers = (unsigned)n;
    return NULL;
}

static const char *apply_max_demand(struct cli_options *options, const char *value)
{
    if (!cli_parse_count(value, 1, MOST_DEMAND, &options->max_demand))
        return "expected a whole number from 1 to 1000000000";
    return NULL;
}

static const char *apply_drain_timeout(struct cli_options *options, const char *value)
{
    if (!cli_parse_duration(value, &options->drain_timeout_ms))
        return "expected a time above zero such as 500ms, 30s or 2m, or none";
    return NULL;
}

static const char *apply_watchdog(struct cli_options *options, const char *value)
{
    if (!cli_parse_duration(value, &options->watchdog_ms))
        return "expected a time above zero such as 500ms, 10s or 2m, or none";
    return NULL;
}

static const char *apply_on_stuck(struct cli_options *options, const char *value)
{
    options->kill_stuck = strcmp(value, "kill") == 0;
    if (!options->kill_stuck && strcmp(value, "log") != 0)
        return "expected log or kill";
    return NULL;
}

static const char *apply_log_level(struct cli_options *options, const char *value)
{
    if (!cli_parse_log_level(value, &options->log_level))
        return "expected off, error, warn, info, debug or trace";
    return NULL;
}

static const char *apply_log_format(struct cli_options *options, const char *value)
{
    options->log_json = strcmp(value, "json") == 0;
    if (!options->log_json && strcmp(value, "text") != 0)
        return "expected text or json";
    return NULL;
}

static const char *apply_seed(struct cli_options *options, const char *value)
{
    if (!cli_parse_count(value, 0, UINT64_MAX, &options->seed))
        return "expected a whole number from 0 to 18446744073709551615";
    options->seeded = true;
    return NULL;
}

/* This option and the next have no value on the command line, but one in the environment. */
static const char *apply_virtual_clock(struct cli_options *options, const char *value)
{
    if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "expected 0 or 1";
    options->virtual_clock = !value || *value == '1';
    return NULL;
}

static const char *apply_allow_bytecode(struct cli_options *options, const char *value)
{
    if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return "expected 0 or 1";
    options->allow_bytecode = !value || *value == '1';
    return NULL;
}

static const char *apply_quiet(struct cli_options *options, const char *value)
{
    (void)value;
    options->log_level = SH_LOG_ERROR;
    return NULL;
}

static const char *apply_verbose(struct cli_options *options, const char *value)
{
    (void)value;
    options->log_level = options->log_level >= SH_LOG_DEBUG ? SH_LOG_TRACE : SH_LOG_DEBUG;
    return NULL;
}

const struct cli_option cli_option_table[] = {
    {'e', NULL, "CODE",
     "run CODE, before the script if there is one; may be repeated;\n"
     "a global that is not set is a field of the module stagehost",
     apply_code, CLI_RUN},
    {'l', NULL, "MODULE", "require MODULE into a global of every worker; may be repeated",
     apply_library, CLI_RUN},
    {'i', NULL, NULL, "a prompt after the script (not available yet)", apply_prompt,
     CLI_RUN},
    {'w', "workers", "N", "threads that run stages (default: one for each CPU)",
     apply_workers, CLI_RUN},
    {0, "max-demand", "N",
     "the max_demand of subscriptions that do not set it\n"
     "(default: 1000)",
     apply_max_demand, CLI_RUN},
    {0, "drain-timeout", "TIME",
     "time that a drain may take before the stages left are killed:\n"
     "500ms, 30s, 2m, none (default: 30s)",
     apply_drain_timeout, CLI_RUN},
    {0, "watchdog", "TIME",
     "name callbacks that do not return or wait for that long:\n"
     "500ms, 10s, 2m, none (default: none)",
     apply_watchdog, CLI_RUN},
    {0, "on-stuck", "ACTION",
     "what the watchdog does then: log, or kill: the callback fails;\n"
     "if it can't be ended, the process is, with 75 (default: log)",
     apply_on_stuck, CLI_RUN},
    {0, "log-level", "LEVEL", "off, error, warn, info, debug or trace (default: info)",
     apply_log_level, CLI_RUN},
    {0, "log-format", "FORMAT",
     "text: for people on a terminal, else key=value lines;\n"
     "json: one object a line (default: text)",
     apply_log_format, CLI_RUN},
    {0, "seed", "N", "one worker, stages in an order shuffled by N (repeatable tests)",
     apply_seed, CLI_RUN},
    {0, "virtual-clock", NULL,
     "one worker; time leaps to the next timer when nothing can run;\n"
     "if nothing ever can, say what each stage waits for, and end",
     apply_virtual_clock, CLI_RUN},
    {0, "allow-bytecode", NULL,
     "load precompiled scripts and modules, which are not verified:\n"
     "they can do anything to the process",
     apply_allow_bytecode, CLI_RUN},
    {'q', NULL, NULL, "as --log-level error", apply_quiet, CLI_RUN},
    {'v', NULL, NULL, "as --log-level debug; twice: trace", apply_verbose, CLI_RUN},
    {'V', "version", NULL, "print the version and exit", NULL, CLI_VERSION},
    {'h', "help", NULL, "print this text and exit", NULL, CLI_HELP},
    {0, NULL, NULL, NULL, NULL, CLI_RUN},
};

/* SPDX-License-Identifier: MIT
 *
 * The command line and its environment variables as one struct. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/text.h"
#include "stagehost.h"

/* Strings are borrowed from argv and the environment. */
struct cli_options {
    const char **code; /* -e, in order */
    size_t n_code;
    const char **libraries; /* -l, in order */
    size_t n_libraries;
    const char *script; /* "-": standard input; NULL: none given */
    const char *const *args;
    size_t n_args;
    unsigned workers;          /* 0: one for each CPU */
    uint64_t max_demand;       /* 0: the host's default */
    uint64_t drain_timeout_ms; /* 0: no limit */
    uint64_t watchdog_ms;      /* 0: none */
    bool kill_stuck;           /* the watchdog ends the callbacks it finds */
    uint64_t seed;
    bool seeded;
    bool virtual_clock;
    bool allow_bytecode;
    bool log_json;
    sh_log_level log_level;
    /* of the verb test; the words after the options are in `args` */
    uint64_t repeat;
    const char *filter;
    bool output_json;
    bool update;
    uint64_t test_timeout_ms; /* 0: none */
};

/* The request of a command line. */
enum cli_request {
    CLI_RUN,
    CLI_TEST,
    CLI_HELP,
    CLI_TEST_HELP,
    CLI_VERSION,
    CLI_USAGE_ERROR
};

/* One row of the option table, which options.c reads by and help.c prints. */
struct cli_option {
    char letter;       /* 0: none */
    const char *name;  /* without the dashes; NULL: none */
    const char *value; /* placeholder of its value; NULL: it takes no value */
    const char *help;  /* one line; a second one after '\n' */
    /* Stores the value. NULL, or what is wrong: "expected ...". */
    const char *(*apply)(struct cli_options *options, const char *value);
    enum cli_request request; /* what an option without `apply` asks for */
};

/* Ends with a row that is all zero. */
extern const struct cli_option cli_option_table[]; /* of run */
extern const struct cli_option cli_test_table[];   /* of test: test_table.c */

/* Fills all of *options from argv[1..] and `env`, which is getenv or a function like it. The
 * command line wins over the environment. With CLI_USAGE_ERROR, *why has one sentence about
 * the error. */
enum cli_request cli_options_parse(struct cli_options *options, int argc, char *const *argv,
                                   char *(*env)(const char *name), struct cli_text *why);
void cli_options_fini(struct cli_options *options);

/* The name of an option's environment variable, "STAGEHOST_DRAIN_TIMEOUT"; false if it has
 * none. For an option without a value the variable is 0 or 1. */
bool cli_option_env_name(const struct cli_option *option, struct cli_text *out);

#endif

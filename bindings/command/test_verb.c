/* SPDX-License-Identifier: MIT */
#include "command/test_verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_OPTIONS = 6 };

bool test_verb_open(struct test_verb *verb, struct cli_options *options)
{
    const uint64_t numbers[] = {options->seed, options->repeat, options->test_timeout_ms};
    for (int i = 0; i < 3; i++)
        snprintf(verb->numbers[i], sizeof verb->numbers[i], "%" PRIu64, numbers[i]);
    verb->args = calloc(N_OPTIONS + options->n_args + 1, sizeof *verb->args);
    if (!verb->args)
        return false;
    verb->args[0] = verb->numbers[0];
    verb->args[1] = verb->numbers[1];
    verb->args[2] = verb->numbers[2];
    verb->args[3] = options->filter ? options->filter : "";
    verb->args[4] = options->output_json ? "json" : "tap";
    verb->args[5] = options->update ? "1" : "";
    for (size_t i = 0; i < options->n_args; i++)
        verb->args[N_OPTIONS + i] = options->args[i];
    options->args = verb->args;
    options->n_args += N_OPTIONS;
    options->code[options->n_code++] = "return require 'stagehost.test.command' (...)";
    options->seeded = false; /* the seed is for the tests, not for this run */
    options->seed = 0;
    options->workers = 1;
    options->log_level = SH_LOG_ERROR;
    return true;
}

void test_verb_close(struct test_verb *verb)
{
    free(verb->args);
}

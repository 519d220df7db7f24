/* SPDX-License-Identifier: MIT
 *
 * The verb test: a script of one line that runs lua/stagehost/test/command.lua, which starts a
 * process of this command for each test. */
#ifndef TEST_VERB_H
#define TEST_VERB_H

#include <stdbool.h>

#include "command/options.h"

struct test_verb {
    char numbers[3][24];
    const char **args;
};

/* Turns the options of the verb test into those of a run. They refer to *verb until it is closed.
 * False: out of memory. */
bool test_verb_open(struct test_verb *verb, struct cli_options *options);
/* Frees it, also after a failed open. */
void test_verb_close(struct test_verb *verb);

#endif

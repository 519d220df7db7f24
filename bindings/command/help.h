/* SPDX-License-Identifier: MIT
 *
 * The help texts of the command. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command/text.h"

/* The lines shown with a usage error. */
void cli_help_usage(struct cli_text *out);
/* The whole text of --help. */
void cli_help(struct cli_text *out);
/* The whole text of test --help. */
void cli_help_test(struct cli_text *out);
/* "stagehost 0.1.0 (LuaJIT ..., libuv ...)". */
void cli_help_version(struct cli_text *out);

#endif

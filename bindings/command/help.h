/* SPDX-License-Identifier: MIT
 *
 * What the command says about itself. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command/text.h"

/* The two lines shown with a usage error. */
void cli_help_usage(struct cli_text *out);
/* All of --help. */
void cli_help(struct cli_text *out);
/* "stagehost 0.1.0 (LuaJIT ..., libuv ...)". */
void cli_help_version(struct cli_text *out);

#endif

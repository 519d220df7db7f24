/* SPDX-License-Identifier: MIT
 *
 * The text of a script, from a file, standard input, or the command line. */
#ifndef SCRIPT_FILE_H
#define SCRIPT_FILE_H

#include <stdbool.h>

#include "command/options.h"

struct script_file {
    struct cli_text text;
    struct cli_text chunk_name; /* "@pipeline.lua", "=stdin", "=(command line)" */
    const char *arg0;           /* borrowed */
};

/* Reads the code to be run: the script, the code of -e, or both, code first, as one chunk.
 * False: *why says what is wrong ("pipeline.lua: no such script"). */
bool script_file_read(struct script_file *script, const struct cli_options *options,
                      const char *program, struct cli_text *why);
void script_file_fini(struct script_file *script);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Words of the command line as values. Pure; every function returns whether the word is valid. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "stagehost.h"

/* A decimal number in [least, most], with nothing before or after it. */
bool cli_parse_count(const char *word, uint64_t least, uint64_t most, uint64_t *out);
/* "500ms", "30s", "1.5m", "2h", a plain number of seconds, or "none", which is 0. A
 * duration that rounds to 0 ms is refused. */
bool cli_parse_duration(const char *word, uint64_t *out_ms);
bool cli_parse_log_level(const char *word, sh_log_level *out);
/* "off", "error" ... */
const char *cli_log_level_name(sh_log_level level);
/* The number of inserted, deleted, replaced or swapped letters between two words; at most 255. */
unsigned cli_edit_distance(const char *a, const char *b);

#endif

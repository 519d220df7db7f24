/* SPDX-License-Identifier: MIT
 *
 * A splitter for integers by a function. */
#ifndef SPEC_INTEGER_SPLITTER_H
#define SPEC_INTEGER_SPLITTER_H

#include "stagehost.h"

enum { TO_NONE = -1, TO_BAD = -2 };

/* The partition of an event, TO_NONE or TO_BAD. */
typedef int (*integer_hash)(int64_t event, size_t n);

/* hash NULL: every split fails. *n_freed counts its end; may be NULL. */
sh_splitter *integer_splitter(integer_hash hash, int *n_freed);

/* event % n */
int integer_modulo(int64_t event, size_t n);
/* event / 2 % n, but multiples of 11 are bad and those of 7 go to none */
int integer_with_holes(int64_t event, size_t n);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A selector for integers: multiples pass; with 0 none does, with -1 it fails. */
#ifndef SPEC_INTEGER_SELECTOR_H
#define SPEC_INTEGER_SELECTOR_H

#include "stagehost.h"

/* *n_freed counts its end; may be NULL. */
sh_selector *multiples_of(int64_t modulus, int *n_freed);

#endif

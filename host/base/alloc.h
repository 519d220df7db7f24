/* SPDX-License-Identifier: MIT
 *
 * Allocation inside the core, and the switch by which specs make it fail. */
#ifndef SH_ALLOC_H
#define SH_ALLOC_H

#include "stagehost/base.h"

/* n * size zeroed bytes, or NULL, also when the product does not fit. */
void *sh__calloc(size_t n, size_t size);

/* For specs: the nth allocation from now (1: the next one, on any thread) fails, once. 0, the
 * state at the start of a process, switches this off. */
void sh__alloc_fail_nth(uint64_t n);
/* Whether the failure set by sh__alloc_fail_nth is still to come. */
bool sh__alloc_is_armed(void);

#endif

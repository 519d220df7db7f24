/* SPDX-License-Identifier: MIT
 *
 * Allocation. The countdown of injected failures is the only process-wide state of the core,
 * since allocation knows no host. While it is 0 it costs one relaxed load. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/* Up to this size zeroing a block costs less than calloc of glibc, which does not look at the
 * blocks that the thread has freed. */
enum { SMALL = 1024 };

static atomic_uint_least64_t countdown;

static bool count_down(void)
{
    uint_least64_t left = atomic_load_explicit(&countdown, memory_order_relaxed);
    while (left > 0) {
        if (atomic_compare_exchange_weak_explicit(
                &countdown, &left, left - 1, memory_order_relaxed, memory_order_relaxed))
            return left == 1;
    }
    return false;
}

static inline bool must_fail(void)
{
    return sh__unlikely(atomic_load_explicit(&countdown, memory_order_relaxed) > 0) &&
           count_down();
}

void sh__alloc_fail_nth(uint64_t n)
{
    atomic_store_explicit(&countdown, n, memory_order_relaxed);
}

bool sh__alloc_is_armed(void)
{
    return atomic_load_explicit(&countdown, memory_order_relaxed) > 0;
}

void *sh_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size > 0 ? size : 1);
}

void *sh_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size > 0 ? size : 1);
}

void sh_free(void *ptr)
{
    free(ptr);
}

void *sh__calloc(size_t n, size_t size)
{
    if ((size > 0 && n > SIZE_MAX / size) || must_fail())
        return NULL;
    size_t total = n * size;
    if (total > SMALL)
        return calloc(n, size);
    void *block = malloc(total > 0 ? total : 1);
    return block ? memset(block, 0, total) : NULL;
}

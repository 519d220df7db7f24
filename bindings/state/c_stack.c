/* SPDX-License-Identifier: MIT
 *
 * The bounds of a thread's C stack come from the thread's attributes, so that they hold for the
 * threads of any program that embeds the library, however small their stacks are. */
#include "state/c_stack.h"

enum {
    KB = 1024,
    /* Recursion through functions that are not guarded takes up to 3.9 MB. */
    LARGE = 6144 * KB,
    LARGE_RESERVE = 4608 * KB,
    /* The most that one call may take where all functions are guarded (a module in C that reads
     * nested data, a linker that loads one). */
    SMALL_RESERVE = 256 * KB,
    /* The main thread's stack may have no limit; this much can be relied on. */
    MOST = 8192 * KB,
    /* The size assumed for a stack that is not the thread's own, such as that of a coroutine. */
    UNKNOWN = 256 * KB,
};

/* The lowest address of the stack that `here` is on, and the highest. */
static void find_bounds(struct shl_c_stack *stack, uintptr_t here)
{
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size = 0, guard = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &address, &size);
        pthread_attr_getguardsize(&attributes, &guard);
        pthread_attr_destroy(&attributes);
    }
    stack->low = (uintptr_t)address + guard;
    stack->high = (uintptr_t)address + size;
    if (here <= stack->low || here >= stack->high) {
        stack->low = here - UNKNOWN;
        stack->high = here + 1;
    }
    if (here - stack->low > MOST)
        stack->low = here - MOST;
}

static void measure(struct shl_c_stack *stack, uintptr_t here)
{
    find_bounds(stack, here);
    uintptr_t room = here - stack->low;
    uintptr_t reserve = room / 2 < SMALL_RESERVE ? room / 2 : SMALL_RESERVE;
    stack->thread = pthread_self();
    stack->is_small = room < LARGE;
    stack->floor = stack->low + (stack->is_small ? reserve : LARGE_RESERVE);
}

bool shl_c_stack_look_again(struct shl_c_stack *stack, uintptr_t here)
{
    bool is_known = here > stack->low && here < stack->high;
    if (is_known && pthread_equal(stack->thread, pthread_self()))
        return true;
    measure(stack, here);
    return false;
}

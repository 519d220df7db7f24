/* SPDX-License-Identifier: MIT
 *
 * How much is left of the C stack of the thread that runs. */
#ifndef SHL_C_STACK_H
#define SHL_C_STACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The stack that was measured last. All zero: none was. */
struct shl_c_stack {
    pthread_t thread;
    uintptr_t low, high; /* its addresses */
    uintptr_t floor;     /* recursion ends here; the stack below is kept in reserve */
    bool is_small;       /* the reserve is too small for unbounded functions, see guard.c */
};

/* For shl_c_stack_is_short only: `here` is below the floor, or on another stack, which this call
 * measures. */
bool shl_c_stack_look_again(struct shl_c_stack *stack, uintptr_t here);

/* Whether no further level of a recursion may begin. On any thread and any stack; one comparison
 * as long as both stay the same. */
static inline bool shl_c_stack_is_short(struct shl_c_stack *stack)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (here - stack->floor < stack->high - stack->floor)
        return false;
    return shl_c_stack_look_again(stack, here);
}

#endif

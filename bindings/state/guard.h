/* SPDX-License-Identifier: MIT
 *
 * The guard keeps scripts from harming the process by mistake: it bounds their use of the C stack
 * and the code they load (chunk.h). */
#ifndef SHL_GUARD_H
#define SHL_GUARD_H

#include <lua.h>

#include "state/c_stack.h"

enum { SHL_N_GUARDED = 7 };

/* The guard of one Lua state, which it outlives. All zero at first. */
struct shl_guard {
    struct shl_c_stack stack;
    bool allow_bytecode;
    bool is_open,
        is_complete; /* the functions are replaced; those that could be compiled, too */
    lua_CFunction originals[SHL_N_GUARDED]; /* in the order of guard.c's table */
};

/* Makes the functions of the standard library that call Lua functions check the C stack first.
 * Called when the state is opened, and before a script or a stage begins: the thread may be
 * another one by then, with a stack so small that more functions have to check. Returns whether
 * any was replaced. Raises. */
bool shl_guard_enter(struct shl_guard *guard, lua_State *L);
/* Raises "C stack overflow" when too little is left. */
void shl_guard_check(struct shl_guard *guard, lua_State *L);
/* Pushes a function that calls shl_guard_check. */
void shl_guard_push_check(struct shl_guard *guard, lua_State *L);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The objects that scripts hold: stages, subscriptions, timers, and calls to be answered.
 */
#ifndef SHL_OBJECT_H
#define SHL_OBJECT_H

#include "state/context.h"

/* A type of object. Its address is its metatable's key in the registry; `name` is another,
 * for luaL_getmetatable and for Lua code. */
struct shl_type {
    const char *name;
    const char *noun; /* for error texts: "a stage handle" */
    const luaL_Reg *metamethods;
    const luaL_Reg *methods;
    const luaL_Reg
        *fields; /* functions of the object, called by reading the field; may be NULL */
};

/* Makes the metatable of `type` unless it is there. Leaves the table of methods on the
 * stack. */
void shl_type_open(lua_State *L, const struct shl_type *type);
/* A userdata of that type and size, zeroed, on top of the stack. */
void *shl_type_new(lua_State *L, const struct shl_type *type, size_t size);
/* The userdata at `index`, NULL if it is none of that type. */
void *shl_type_test(lua_State *L, int index, const struct shl_type *type);
/* The same, raising. */
void *shl_type_check(lua_State *L, int index, const struct shl_type *type);

/* Pushes a place for a new reference, which is released when it is collected: so the reference is
 * not lost if an error is raised before its handle has been pushed. */
void **shl_push_stage_holder(lua_State *L);
void **shl_push_subscription_holder(lua_State *L);

/* All types of the library. */
extern const struct shl_type shl_stage_type, shl_subscription_type, shl_call_type,
    shl_timer_type;

/* "producer" and so on. */
const char *shl_kind_word(sh_kind kind);

/* Raises what a core function answered at the caller's position, as "what: text". Takes
 * error. */
int shl_raise(lua_State *L, const char *what, int status, sh_error *error);

extern const luaL_Reg shl_stage_methods[], shl_subscription_methods[];

#endif

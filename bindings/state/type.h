/* SPDX-License-Identifier: MIT
 *
 * Types of the objects that scripts hold. */
#ifndef SHL_TYPE_H
#define SHL_TYPE_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/* A type of object. Its address is its metatable's key in the registry; `name` is a second key,
 * for luaL_getmetatable and for Lua code. */
struct shl_type {
    const char *name;
    const char *noun; /* for error texts: "a stage handle" */
    const luaL_Reg *metamethods;
    const luaL_Reg *methods;
    /* Functions of the object, called by reading the field; may be NULL. */
    const luaL_Reg *fields;
    lua_CFunction
        index; /* __index of a type without fields that is no table of methods, or NULL */
};

/* The beginning of every object, which identifies it, since a script can give any userdata any
 * metatable (debug.setmetatable). */
struct shl_object {
    const struct shl_type *type;
};

/* Makes the metatable of `type` unless it exists. Leaves the table of methods on the stack. */
void shl_type_open(lua_State *L, const struct shl_type *type);
/* A userdata of that type and size, zeroed but for its shl_object, on top of the stack. */
void *shl_type_new(lua_State *L, const struct shl_type *type, size_t size);
/* The userdata at `index`, or NULL if it is not of that type. A __gc uses this function, since it
 * must not raise: an error that leaves a finalizer appears anywhere. */
void *shl_type_test(lua_State *L, int index, const struct shl_type *type);
/* Like shl_type_test, but raises instead of returning NULL. */
void *shl_type_check(lua_State *L, int index, const struct shl_type *type);

#endif

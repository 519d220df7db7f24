/* SPDX-License-Identifier: MIT
 *
 * The common part of all object types. A metatable is found by the address of its type, which
 * costs no string; an object is recognised without its metatable. */
#include "state/type.h"

#include <string.h>

static void push_metatable(lua_State *L, const struct shl_type *type)
{
    lua_pushlightuserdata(L, (void *)type);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

/* __index of types with fields: upvalues are the methods and the fields' functions. */
static int index_object(lua_State *L)
{
    lua_settop(L, 2); /* object, key */
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1)); /* object, key, method */
    if (!lua_isnil(L, 3))
        return 1;
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2)); /* object, key, nil, field */
    if (lua_isnil(L, 4))
        return 1;
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static void set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions && functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

static void make_metatable(lua_State *L, const struct shl_type *type)
{
    lua_newtable(L); /* metatable */
    set_functions(L, type->metamethods);
    lua_newtable(L); /* metatable, methods */
    set_functions(L, type->methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    if (type->fields) {
        lua_newtable(L); /* metatable, methods, fields */
        set_functions(L, type->fields);
        lua_pushcclosure(L, index_object, 2);
    } else if (type->index) {
        lua_pop(L, 1);
        lua_pushcfunction(L, type->index);
    }
    lua_setfield(L, -2, "__index"); /* metatable */
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, type->name);
    lua_pushlightuserdata(L, (void *)type);
    lua_pushvalue(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void shl_type_open(lua_State *L, const struct shl_type *type)
{
    push_metatable(L, type);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        make_metatable(L, type);
    }
    lua_getfield(L, -1, "methods");
    lua_remove(L, -2);
}

void *shl_type_new(lua_State *L, const struct shl_type *type, size_t size)
{
    struct shl_object *object = memset(lua_newuserdata(L, size), 0, size);
    object->type = type;
    push_metatable(L, type);
    if (lua_isnil(L, -1)) { /* a handle is made before any script required the library */
        shl_type_open(L, type);
        lua_pop(L, 2);
        push_metatable(L, type);
    }
    lua_setmetatable(L, -2);
    return object;
}

void *shl_type_test(lua_State *L, int index, const struct shl_type *type)
{
    if (lua_type(L, index) != LUA_TUSERDATA ||
        lua_objlen(L, index) < sizeof(struct shl_object))
        return NULL;
    struct shl_object *object = lua_touserdata(L, index);
    return object->type == type ? object : NULL;
}

void *shl_type_check(lua_State *L, int index, const struct shl_type *type)
{
    void *object = shl_type_test(L, index, type);
    if (!object)
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "expected %s, got %s", type->noun, luaL_typename(L, index)));
    return object;
}

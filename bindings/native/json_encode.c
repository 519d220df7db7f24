/* SPDX-License-Identifier: MIT
 *
 * Writes a Lua value as a JSON text, in one loop without recursion. The same tables are
 * lists as for lua-cjson, and messages are worded as its messages are. */
#include <math.h>
#include <stdint.h>

#include "native/json_writer.h"

enum {
    BUFFER_SLOT = 3, /* in encode(): the memory of the text, ... */
    VALUE_SLOT = 4,  /* ... and the value                        */
    LEVEL_SLOTS = 8,
    FIRST_BUFFER = 4096,
    MAX_KEPT_BUFFER = 1 << 20, /* the next call does not get a larger one          */
    MAX_DENSE = 10,            /* a longer list has at most one hole for each item */
    MAX_PATH = 100,            /* characters of the path to a value, in messages   */
};

/* -- errors ---------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    static const char chars[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return *text && !(*text >= '0' && *text <= '9') && text[strspn(text, chars)] == '\0';
}

/* Pushes `.key` or `[key]`. */
static void push_step(lua_State *L, const struct shl_json_level *level, bool is_first)
{
    int key = level->slot + 1;
    if (level->n != SHL_JSON_MAP)
        lua_pushfstring(L, "[%d]", level->at);
    else if (lua_type(L, key) == LUA_TNUMBER)
        lua_pushfstring(L, "[%f]", lua_tonumber(L, key));
    else if (lua_type(L, key) != LUA_TSTRING)
        lua_pushfstring(L, "[%s]", luaL_typename(L, key));
    else if (is_name(lua_tostring(L, key)))
        lua_pushfstring(L, "%s%s", is_first ? "" : ".", lua_tostring(L, key));
    else
        lua_pushfstring(L, "[\"%s\"]", lua_tostring(L, key));
}

/* Pushes the path to a value at this depth: ` at a.list[3]`, or an empty string at depth 0.
 */
static void push_path(const struct shl_json_writer *writer, int depth)
{
    lua_State *L = writer->L;
    lua_pushstring(L, depth > 0 ? " at " : "");
    for (int i = 1; i <= depth; i++) {
        if (lua_objlen(L, -1) > MAX_PATH) {
            lua_pushliteral(L, "...");
            lua_concat(L, 2);
            return;
        }
        push_step(L, &writer->levels[i], i == 1);
        lua_concat(L, 2);
    }
}

/* Returns nil, message. The value that can't be encoded is on top. */
static int return_error(const struct shl_json_writer *writer)
{
    lua_State *L = writer->L;
    const char *what = writer->is_key ? "a table key" : luaL_typename(L, -1);
    luaL_checkstack(L, LEVEL_SLOTS, "JSON is nested too deep");
    push_path(writer, writer->depth - writer->is_key);
    const char *path = lua_tostring(L, -1);
    lua_pushnil(L);
    lua_pushfstring(L, "Cannot serialise %s%s: %s", what, path, writer->problem);
    return 2;
}

/* -- tables ---------------------------------------------------------------------------- */

/* Returns the length of a list, or SHL_JSON_MAP. All keys of a list are integers from 1 on;
 * one beyond 31 bits is not an index but an id, which makes the table a map. The first key
 * and value are on top, and are popped. */
static int measure(lua_State *L, int slot, int *n_items)
{
    lua_Number longest = 0;
    *n_items = 0;
    do {
        lua_Number key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
        if (!(key >= 1 && key <= INT32_MAX && key == floor(key))) {
            lua_pop(L, 2);
            return SHL_JSON_MAP;
        }
        longest = key > longest ? key : longest;
        ++*n_items;
        lua_pop(L, 1);
    } while (lua_next(L, slot));
    return (int)longest;
}

static bool begin_table(struct shl_json_writer *writer, int slot)
{
    lua_State *L = writer->L;
    int n = SHL_JSON_MAP, n_items = 0;
    if (writer->depth == SHL_JSON_MAX_DEPTH)
        return shl_json_refuse(writer, "nesting is deeper than 1000 (is it a cycle?)");
    luaL_checkstack(L, LEVEL_SLOTS, "a table is nested too deep for JSON");
    lua_pushnil(L);
    if (lua_next(L, slot))
        n = measure(L, slot, &n_items);
    if (n > MAX_DENSE && n - n_items > n_items)
        return shl_json_refuse(writer, "excessively sparse array");
    writer->levels[++writer->depth] = (struct shl_json_level){.slot = slot, .n = n};
    shl_json_add(writer, n == SHL_JSON_MAP ? '{' : '[');
    if (n == SHL_JSON_MAP)
        lua_pushnil(L);
    return true;
}

static void end_table(struct shl_json_writer *writer)
{
    const struct shl_json_level *level = &writer->levels[writer->depth--];
    shl_json_add(writer, level->n == SHL_JSON_MAP ? '}' : ']');
    lua_settop(writer->L, level->slot - 1);
}

/* Tells whether the table has another key with this name: 1, 1LL and "1" all are "1". Two
 * cdata of one value are not found: they are different keys, and Lua can't look for their
 * value. */
static bool is_taken(lua_State *L, const struct shl_json_level *level, const char *name,
                     size_t length)
{
    bool is_number = lua_type(L, level->slot + 1) == LUA_TNUMBER;
    lua_pushlstring(L, name, length);
    lua_Number number = lua_tonumber(L, -1);
    lua_rawget(L, level->slot);
    bool taken = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_number || taken)
        return taken;
    lua_pushnumber(L, number);
    lua_rawget(L, level->slot);
    taken = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return taken;
}

static bool add_number_key(struct shl_json_writer *writer,
                           const struct shl_json_level *level)
{
    int key = level->slot + 1;
    bool is_number = lua_type(writer->L, key) == LUA_TNUMBER;
    shl_json_add(writer, '"');
    size_t before = (size_t)(writer->at - writer->first);
    if (!(is_number ? shl_json_add_number(writer, key) : shl_json_add_boxed(writer, key)))
        return false;
    const char *name = writer->first + before;
    if (is_taken(writer->L, level, name, (size_t)(writer->at - name)))
        return shl_json_refuse(writer,
                               "appears twice, as a number and as a string or cdata");
    shl_json_add(writer, '"');
    return true;
}

static bool add_key(struct shl_json_writer *writer, const struct shl_json_level *level)
{
    int key = level->slot + 1;
    bool is_good;
    writer->is_key = true;
    if (lua_type(writer->L, key) == LUA_TSTRING)
        is_good = shl_json_add_string(writer, key);
    else if (lua_type(writer->L, key) == LUA_TNUMBER ||
             strcmp(luaL_typename(writer->L, key), "cdata") == 0)
        is_good = add_number_key(writer, level);
    else
        is_good = shl_json_refuse(writer, "must be a number or string");
    writer->is_key = !is_good;
    if (is_good)
        shl_json_add(writer, ':');
    return is_good;
}

/* -- values ---------------------------------------------------------------------------- */

/* Writes the value on top and pops it. Of a table it writes the beginning only; the table
 * stays. */
static bool write_value(struct shl_json_writer *writer, int slot)
{
    lua_State *L = writer->L;
    bool is_good = true;
    switch (lua_type(L, slot)) {
    case LUA_TTABLE:
        return begin_table(writer, slot);
    case LUA_TSTRING:
        is_good = shl_json_add_string(writer, slot);
        break;
    case LUA_TNUMBER:
        is_good = shl_json_add_number(writer, slot);
        break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, slot))
            shl_json_add_bytes(writer, "true", 4);
        else
            shl_json_add_bytes(writer, "false", 5);
        break;
    default:
        if (lua_isnil(L, slot) ||
            (lua_islightuserdata(L, slot) && !lua_touserdata(L, slot)))
            shl_json_add_bytes(writer, "null", 4);
        else if (strcmp(luaL_typename(L, slot), "cdata") == 0)
            is_good = shl_json_add_boxed(writer, slot);
        else
            is_good = shl_json_refuse(writer, "type not supported");
    }
    if (is_good)
        lua_settop(L, slot - 1);
    return is_good;
}

enum step {
    FAILED,
    ITEM, /* the value of the next item is on top */
    NONE, /* the list or map has no more items    */
};

static enum step next_item(struct shl_json_writer *writer, int *slot)
{
    struct shl_json_level *level = &writer->levels[writer->depth];
    lua_State *L = writer->L;
    if (level->n == SHL_JSON_MAP ? !lua_next(L, level->slot) : level->at == level->n)
        return NONE;
    if (level->at++ > 0)
        shl_json_add(writer, ',');
    if (level->n == SHL_JSON_MAP) {
        *slot = level->slot + 2;
        return add_key(writer, level) ? ITEM : FAILED;
    }
    *slot = level->slot + 1;
    lua_rawgeti(L, level->slot, level->at);
    return ITEM;
}

static bool write_text(struct shl_json_writer *writer)
{
    int slot = VALUE_SLOT;
    while (write_value(writer, slot)) {
        enum step step = NONE;
        while (writer->depth > 0 && (step = next_item(writer, &slot)) == NONE)
            end_table(writer);
        if (step != ITEM)
            return step == NONE;
    }
    return false;
}

/* Takes the buffer of the last call, or creates one. The upvalue is nil meanwhile, so that
 * a finalizer that encodes something during this call gets a buffer of its own. */
static void take_buffer(struct shl_json_writer *writer)
{
    lua_State *L = writer->L;
    lua_pushvalue(L, lua_upvalueindex(2));
    if (lua_isnil(L, BUFFER_SLOT)) {
        lua_newuserdata(L, FIRST_BUFFER);
        lua_replace(L, BUFFER_SLOT);
    } else {
        lua_pushnil(L);
        lua_replace(L, lua_upvalueindex(2));
    }
    writer->first = writer->at = lua_touserdata(L, BUFFER_SLOT);
    writer->end = writer->first + lua_objlen(L, BUFFER_SLOT);
}

static void keep_buffer(struct shl_json_writer *writer)
{
    if (writer->end - writer->first > MAX_KEPT_BUFFER)
        return;
    lua_pushvalue(writer->L, BUFFER_SLOT);
    lua_replace(writer->L, lua_upvalueindex(2));
}

int shl_json_encode(lua_State *L)
{
    struct shl_json_writer writer;
    writer.L = L;
    writer.options = (unsigned)lua_tointeger(L, 2);
    writer.buffer = BUFFER_SLOT;
    writer.depth = 0;
    writer.is_key = false;
    lua_settop(L, BUFFER_SLOT - 1);
    take_buffer(&writer);
    lua_pushvalue(L, 1);
    if (!write_text(&writer))
        return return_error(&writer);
    lua_pushlstring(L, writer.first, (size_t)(writer.at - writer.first));
    keep_buffer(&writer);
    return 1;
}

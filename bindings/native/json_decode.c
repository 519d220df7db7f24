/* SPDX-License-Identifier: MIT
 *
 * Reads a JSON text. One loop reads all values, without recursion, so that a deeply nested
 * text takes no more of the C stack than a flat one. Messages are worded as lua-cjson's
 * are. */
#include <string.h>

#include "native/json_reader.h"

enum {
    MAX_PENDING = 64, /* items of a list or map that wait on the stack */
    /* Below this depth no item waits: a C function may use 8000 slots of LuaJIT's stack. */
    MAX_PENDING_DEPTH = 16,
    FRAME_SLOTS = 2 * MAX_PENDING + 8,
};

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

/* -- errors ---------------------------------------------------------------------------- */

static bool has_word(const struct shl_json_reader *reader, const char *word)
{
    return strncmp(reader->at, word, strlen(word)) == 0;
}

static const char *find_token(const struct shl_json_reader *reader)
{
    static const char chars[] = "{}[]\":,-0123456789";
    static const char *const names[] = {
        "T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END",
        "T_STRING",    "T_COLON",   "T_COMMA",     "T_NUMBER",
    };
    enum { NUMBER = 7 };
    if (reader->at == reader->end)
        return "T_END";
    if (*reader->at == '\0')
        return "a NUL byte";
    const char *found = strchr(chars, *reader->at);
    if (found)
        return names[found - chars < NUMBER ? found - chars : NUMBER];
    if (has_word(reader, "true") || has_word(reader, "false"))
        return "T_BOOLEAN";
    return has_word(reader, "null") ? "T_NULL" : "invalid token";
}

static bool fail(struct shl_json_reader *reader, const char *expected)
{
    return shl_json_fail(reader, reader->at, expected, find_token(reader));
}

/* Returns nil, message, position. */
static int return_error(const struct shl_json_reader *reader, const char *text)
{
    lua_State *L = reader->L;
    lua_Number position = (lua_Number)(reader->at - text + 1);
    lua_settop(L, 1);
    lua_pushnil(L);
    if (reader->expected)
        lua_pushfstring(L, "Expected %s but found %s at character %f", reader->expected,
                        reader->found, position);
    else
        lua_pushfstring(L, "Found %s at character %f", reader->found, position);
    lua_pushnumber(L, position);
    return 3;
}

/* -- lists and maps -------------------------------------------------------------------- */

/* Moves the items that wait into their table, in order: of two items with one key the last
 * one wins. */
static void fill_map(lua_State *L, const struct shl_json_frame *frame)
{
    for (int i = 1; i <= 2 * frame->n; i += 2) {
        lua_pushvalue(L, frame->slot + i);
        lua_pushvalue(L, frame->slot + i + 1);
        lua_rawset(L, frame->slot);
    }
    lua_settop(L, frame->slot);
}

/* Replaces the items that wait on the stack by their table. */
static void make_table(struct shl_json_reader *reader, struct shl_json_frame *frame)
{
    lua_State *L = reader->L;
    lua_createtable(L, frame->is_map ? 0 : frame->n, frame->is_map ? frame->n : 0);
    if (frame->n > 0)
        lua_insert(L, frame->slot);
    if (frame->is_map && frame->n > 0)
        fill_map(L, frame);
    else
        for (int i = frame->n; i >= 1; i--)
            lua_rawseti(L, frame->slot, i);
    frame->has_table = true;
    reader->top = frame->slot;
}

/* Adds the value on top, or the key and value. */
static void add_item(struct shl_json_reader *reader, struct shl_json_frame *frame)
{
    frame->n++;
    if (frame->has_table) {
        if (frame->is_map)
            lua_rawset(reader->L, frame->slot);
        else
            lua_rawseti(reader->L, frame->slot, frame->n);
        reader->top = frame->slot;
    } else if (frame->n == MAX_PENDING) {
        make_table(reader, frame);
    }
}

static bool open_frame(struct shl_json_reader *reader, bool is_map)
{
    if (reader->depth == SHL_JSON_MAX_DEPTH)
        return shl_json_fail(reader, reader->at, NULL,
                             "too many nested data structures (1001)");
    struct shl_json_frame *frame = &reader->frames[++reader->depth];
    *frame = (struct shl_json_frame){.slot = reader->top + 1, .is_map = is_map};
    luaL_checkstack(reader->L, FRAME_SLOTS, "JSON is nested too deep");
    if (reader->depth > MAX_PENDING_DEPTH)
        make_table(reader, frame);
    reader->at = skip_space(reader->at + 1);
    return true;
}

static void close_frame(struct shl_json_reader *reader)
{
    struct shl_json_frame *frame = &reader->frames[reader->depth--];
    if (!frame->has_table)
        make_table(reader, frame);
    reader->at++;
}

/* -- values ---------------------------------------------------------------------------- */

enum progress {
    FAILED,
    VALUE, /* a value was read                                   */
    BEGIN, /* a value is expected: the first or the next item    */
    END,   /* the whole text was read                            */
};

static bool take_word(struct shl_json_reader *reader, const char *word)
{
    if (!has_word(reader, word))
        return fail(reader, "value");
    reader->at += strlen(word);
    reader->top++;
    return true;
}

/* Reads a key and the colon behind it. */
static bool read_key(struct shl_json_reader *reader)
{
    reader->at = skip_space(reader->at);
    if (*reader->at != '"')
        return fail(reader, "object key string");
    if (!shl_json_read_string(reader, "object key string"))
        return false;
    reader->at = skip_space(reader->at);
    if (*reader->at != ':')
        return fail(reader, "colon");
    reader->at++;
    return true;
}

static enum progress begin(struct shl_json_reader *reader, bool is_map)
{
    if (!open_frame(reader, is_map))
        return FAILED;
    if (*reader->at == (is_map ? '}' : ']')) {
        close_frame(reader);
        return VALUE;
    }
    return !is_map || read_key(reader) ? BEGIN : FAILED;
}

static enum progress read_value(struct shl_json_reader *reader)
{
    bool is_good;
    reader->at = skip_space(reader->at);
    switch (*reader->at) {
    case '{':
        return begin(reader, true);
    case '[':
        return begin(reader, false);
    case '"':
        is_good = shl_json_read_string(reader, "value");
        break;
    case 't':
    case 'f':
        lua_pushboolean(reader->L, *reader->at == 't');
        is_good = take_word(reader, *reader->at == 't' ? "true" : "false");
        break;
    case 'n':
        lua_pushlightuserdata(reader->L, NULL);
        is_good = take_word(reader, "null");
        break;
    default:
        is_good = *reader->at == '-' || (*reader->at >= '0' && *reader->at <= '9')
                      ? shl_json_read_number(reader)
                      : fail(reader, "value");
    }
    return is_good ? VALUE : FAILED;
}

/* Reads what follows a value: a comma, or the ends of lists and maps and then a comma, or
 * the end of the text. */
static enum progress follow(struct shl_json_reader *reader)
{
    while (reader->depth > 0) {
        struct shl_json_frame *frame = &reader->frames[reader->depth];
        add_item(reader, frame);
        reader->at = skip_space(reader->at);
        if (*reader->at == ',') {
            reader->at++;
            return !frame->is_map || read_key(reader) ? BEGIN : FAILED;
        }
        if (*reader->at != (frame->is_map ? '}' : ']')) {
            fail(reader, frame->is_map ? "comma or object end" : "comma or array end");
            return FAILED;
        }
        close_frame(reader);
    }
    reader->at = skip_space(reader->at);
    if (reader->at == reader->end)
        return END;
    fail(reader, "the end");
    return FAILED;
}

static bool read_text(struct shl_json_reader *reader)
{
    enum progress progress = BEGIN;
    while (progress == BEGIN) {
        progress = read_value(reader);
        if (progress == VALUE)
            progress = follow(reader);
    }
    return progress == END;
}

int shl_json_decode(lua_State *L)
{
    struct shl_json_reader reader;
    size_t length;
    if (lua_type(L, 1) !=
        LUA_TSTRING) { /* a number is refused, too: as a string it would have lost digits */
        lua_pushnil(L);
        lua_pushfstring(L, "Expected a string but found a %s", luaL_typename(L, 1));
        return 2;
    }
    const char *text = lua_tolstring(L, 1, &length);
    reader.L = L;
    reader.at = text;
    reader.end = text + length;
    reader.options = (unsigned)lua_tointeger(L, 2);
    reader.top = 2;
    reader.depth = 0;
    lua_settop(L, reader.top);
    return read_text(&reader) ? 1 : return_error(&reader, text);
}

/* SPDX-License-Identifier: MIT
 *
 * Reasons: why a stage ended, as sh_error in the core and as a value in Lua. A Lua value
 * that is more than a word is encoded in the data of the sh_error; the word and the message
 * are then the text of the value. */
#include "state/error.h"

#include <stdio.h>
#include <string.h>

#include "state/call.h"
#include "state/context.h"
#include "state/slot.h"

static const char metatable[] = "stagehost.error";

void shl_error_open(lua_State *L)
{
    luaL_newmetatable(L, metatable); /* options/errors.lua gives it __tostring */
    lua_pop(L, 1);
}

static int absolute(lua_State *L, int index)
{
    return index > 0 ? index : lua_gettop(L) + index + 1;
}

bool shl_is_error_object(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, metatable);
    bool is_error = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_error;
}

/* -- texts ----------------------------------------------------------------------------- */

static void push_sentence(lua_State *L, const sh_error_fields *fields)
{
    char stage[256] = "", callback[80] = "";
    const char *text = fields->message ? fields->message : fields->name;
    if (fields->stage)
        snprintf(stage, sizeof stage, "stage<%s>: ", fields->stage);
    if (fields->callback)
        snprintf(callback, sizeof callback, "%s: ", fields->callback);
    lua_pushfstring(L, "%s%s%s", stage, callback, text ? text : "");
}

void shl_push_sentence(lua_State *L, const sh_error *error)
{
    push_sentence(L, sh_error_get(error));
}

const char *shl_push_c_text(lua_State *L, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    const char *end = text + len;
    luaL_Buffer buffer;
    if (strlen(text) == len) {
        lua_pushvalue(L, index);
        return text;
    }
    luaL_buffinit(L, &buffer);
    for (; text < end; text++) {
        if (*text)
            luaL_addchar(&buffer, *text);
        else
            luaL_addlstring(&buffer, "\\0", 2);
    }
    luaL_pushresult(&buffer);
    return lua_tostring(L, -1);
}

/* Pushes the string at `key` of the table at `index` as text; pushes nil and returns NULL if the
 * field is not a string. */
static const char *push_string_field(lua_State *L, int index, const char *key)
{
    lua_pushstring(L, key);
    lua_rawget(L, index);
    if (lua_type(L, -1) == LUA_TSTRING)
        shl_push_c_text(L, -1);
    else
        lua_pushnil(L);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

static void push_table_text(lua_State *L, int index)
{
    if (push_string_field(L, index, "message"))
        return;
    lua_pop(L, 1);
    lua_pushliteral(L, "(error object is a table value)");
}

/* Replaces the string on top by one that C can read completely. */
static void escape_top(lua_State *L)
{
    shl_push_c_text(L, -1);
    lua_remove(L, -2);
}

void shl_push_error_text(lua_State *L, int index)
{
    index = absolute(L, index);
    int type = lua_type(L, index);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        lua_pushvalue(L, index); /* a number becomes a string here, and not there */
        escape_top(L);
        return;
    }
    if (luaL_getmetafield(L, index, "__tostring")) {
        lua_pushvalue(L, index);
        if (shl_try(L, 1, 1) == 0 && lua_type(L, -1) == LUA_TSTRING) {
            escape_top(L);
            return;
        }
        lua_pop(L, 1);
    }
    if (type == LUA_TTABLE)
        push_table_text(L, index);
    else if (type == LUA_TNIL || type == LUA_TBOOLEAN)
        lua_pushstring(L, type == LUA_TNIL          ? "nil"
                          : lua_toboolean(L, index) ? "true"
                                                    : "false");
    else
        lua_pushfstring(L, "(error object is a %s value)", lua_typename(L, type));
}

bool shl_is_of_library(const lua_Debug *ar)
{
    return strncmp(ar->short_src, "stagehost/", 10) == 0;
}

/* Where the code that raised is, outside of the library, as "file:line: "; or "". */
static void push_where(lua_State *L, lua_State *co)
{
    lua_Debug ar;
    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        lua_getinfo(co, "Sl", &ar);
        if (ar.currentline > 0 && !shl_is_of_library(&ar)) {
            lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

/* A global of the script that a function expects on another worker is nil there: appends that to
 * the text on top. */
static void add_hint(lua_State *L)
{
    static const char global[] = " global '", end[] = "' (a nil value)";
    const char *text = lua_tostring(L, -1);
    size_t len = strlen(text), len_end = sizeof end - 1;
    if (sh_worker_index(shl_context(L)->worker) == 0 || len < len_end ||
        strcmp(text + len - len_end, end) != 0 || !strstr(text, global))
        return;
    lua_pushliteral(L, " (globals of the script are on worker 0 only: make it local)");
    lua_concat(L, 2);
}

void shl_push_raised_text(lua_State *L, int index, lua_State *co)
{
    if (!lua_isnil(L, index)) {
        shl_push_error_text(L, index);
        add_hint(L);
        return;
    }
    push_where(L, co);
    lua_pushliteral(L, "nil was raised, an error without a message");
    lua_concat(L, 2);
}

/* -- data ------------------------------------------------------------------------------ */

/* Pushes the value at `index` as bytes, or nil if it is not plain data. */
static const char *push_encoded(lua_State *L, int index, size_t *len)
{
    shl_helper_push(shl_context(L), L, SHL_HELPER_ENCODE);
    lua_pushvalue(L, index);
    if (shl_try(L, 1, 1) == 0)
        return lua_tolstring(L, -1, len);
    lua_pop(L, 1);
    lua_pushnil(L);
    *len = 0;
    return NULL;
}

/* Pushes the value that belongs to a reason; false: there is none. */
static bool push_data(lua_State *L, const sh_error_fields *fields)
{
    if (!fields->data)
        return false;
    shl_helper_push(shl_context(L), L, SHL_HELPER_DECODE);
    lua_pushlstring(L, fields->data, fields->data_len);
    if (shl_try(L, 1, 1) == 0)
        return true;
    lua_pop(L, 1);
    return false;
}

/* -- to Lua ---------------------------------------------------------------------------- */

static void set_string(lua_State *L, const char *key, const char *text)
{
    if (!text)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void push_object(lua_State *L, const sh_error_fields *fields)
{
    lua_newtable(L);
    set_string(L, "name", fields->name);
    set_string(L, "message", fields->message);
    set_string(L, "stage", fields->stage);
    set_string(L, "callback", fields->callback);
    set_string(L, "traceback", fields->traceback);
    if (push_data(L, fields))
        lua_setfield(L, -2, "value");
    luaL_getmetatable(L, metatable);
    lua_setmetatable(L, -2);
}

static void push_shutdown(lua_State *L, const sh_error_fields *fields)
{
    if (!push_data(L, fields)) {
        lua_pushliteral(L, "shutdown");
        return;
    }
    lua_createtable(L, 2, 0); /* detail, table */
    lua_pushliteral(L, "shutdown");
    lua_rawseti(L, -2, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 2);
}

void shl_push_reason(lua_State *L, const sh_error *reason)
{
    const sh_error_fields *fields = sh_error_get(reason);
    switch (fields->kind) {
    case SH_REASON_NORMAL:
        lua_pushliteral(L, "normal");
        return;
    case SH_REASON_SHUTDOWN:
        push_shutdown(L, fields);
        return;
    case SH_REASON_KILLED:
        lua_pushliteral(L, "killed");
        return;
    case SH_REASON_NOPROC:
        lua_pushliteral(L, "noproc");
        return;
    case SH_REASON_CUSTOM:
        if (!push_data(L, fields))
            lua_pushstring(L, fields->name);
        return;
    case SH_REASON_BAD_RETURN:
    case SH_REASON_RAISED:
        push_object(L, fields);
        return;
    }
}

/* The short word for an answer that is only a code. */
static const char *code_word(int status)
{
    switch (status) {
    case SH_ENOPROC:
        return "noproc";
    case SH_ETIMEDOUT:
        return "timeout";
    case SH_EEXIST:
        return "already_started";
    case SH_EIGNORED:
        return "ignore";
    case SH_ENOTPRODUCER:
        return "not_a_producer";
    case SH_ENOTCONSUMER:
        return "not_a_consumer";
    }
    return sh_err_name(status);
}

int shl_return_failure(lua_State *L, int status, const sh_error *error)
{
    lua_pushnil(L);
    if (error) {
        shl_push_sentence(L, error);
        shl_push_reason(L, error);
    } else {
        lua_pushstring(L, sh_strerror(status));
        lua_pushstring(L, code_word(status));
    }
    return 3;
}

/* -- to C ------------------------------------------------------------------------------ */

static int store(const sh_error_fields *fields, sh_error **out)
{
    *out = sh_error_new(fields);
    return *out ? SH_OK : SH_ENOMEM;
}

static sh_reason word_kind(const char *word)
{
    if (strcmp(word, "shutdown") == 0)
        return SH_REASON_SHUTDOWN;
    if (strcmp(word, "killed") == 0)
        return SH_REASON_KILLED;
    return strcmp(word, "noproc") == 0 ? SH_REASON_NOPROC : SH_REASON_CUSTOM;
}

static int take_word(lua_State *L, int index, sh_error **out)
{
    const char *word = shl_push_c_text(L, index);
    if (strcmp(word, "normal") == 0)
        return SH_OK;
    sh_error_fields fields = {.kind = word_kind(word), .name = word};
    if (strlen(word) != lua_objlen(L, index))
        fields.data = push_encoded(L, index, &fields.data_len);
    return store(&fields, out);
}

static int take_object(lua_State *L, int index, sh_error **out)
{
    sh_error_fields fields = {
        .kind = SH_REASON_RAISED,
        .name = push_string_field(L, index, "name"),
        .message = push_string_field(L, index, "message"),
        .stage = push_string_field(L, index, "stage"),
        .callback = push_string_field(L, index, "callback"),
        .traceback = push_string_field(L, index, "traceback"),
    };
    if (fields.name && strcmp(fields.name, "bad_return_value") == 0)
        fields.kind = SH_REASON_BAD_RETURN;
    lua_getfield(L, index, "value");
    if (!lua_isnil(L, -1))
        fields.data = push_encoded(L, lua_gettop(L), &fields.data_len);
    return store(&fields, out);
}

/* { "shutdown", x } */
static bool is_shutdown(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE)
        return false;
    lua_rawgeti(L, index, 1);
    bool is_it =
        lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "shutdown") == 0;
    lua_pop(L, 1);
    return is_it;
}

static int take_shutdown(lua_State *L, int index, sh_error **out)
{
    sh_error_fields fields = {.kind = SH_REASON_SHUTDOWN};
    lua_rawgeti(L, index, 2);
    if (!lua_isnil(L, -1))
        fields.data = push_encoded(L, lua_gettop(L), &fields.data_len);
    return store(&fields, out);
}

/* Any other value: its text becomes the word, and the data is the value if it is plain data. */
static int take_value(lua_State *L, int index, sh_error **out)
{
    sh_error_fields fields = {.kind = SH_REASON_CUSTOM};
    shl_push_error_text(L, index);
    fields.name = lua_tostring(L, -1);
    fields.data = push_encoded(L, index, &fields.data_len);
    return store(&fields, out);
}

int shl_to_reason(lua_State *L, int index, sh_error **out)
{
    index = absolute(L, index);
    int top = lua_gettop(L), status;
    luaL_checkstack(L, 24, "reason");
    *out = NULL;
    if (lua_isnoneornil(L, index))
        return SH_OK;
    if (lua_type(L, index) == LUA_TSTRING)
        status = take_word(L, index, out);
    else if (shl_is_error_object(L, index))
        status = take_object(L, index, out);
    else if (is_shutdown(L, index))
        status = take_shutdown(L, index, out);
    else
        status = take_value(L, index, out);
    lua_settop(L, top);
    return status;
}

sh_error *shl_error_raised(lua_State *L, int index, lua_State *co, const char *stage,
                           const char *callback, const char *traceback)
{
    index = absolute(L, index);
    int top = lua_gettop(L);
    sh_error_fields fields = {.kind = SH_REASON_RAISED,
                              .stage = stage,
                              .callback = callback,
                              .traceback = traceback};
    bool is_object = shl_is_error_object(L, index);
    if (is_object)
        fields.name = push_string_field(L, index, "name");
    shl_push_raised_text(L, index, co);
    fields.message = lua_tostring(L, -1);
    if (!is_object && lua_type(L, index) == LUA_TTABLE)
        fields.data = push_encoded(L, index, &fields.data_len);
    sh_error *error = sh_error_new(&fields);
    lua_settop(L, top);
    return error;
}

sh_error *shl_error_of_text(const char *callback, const char *text)
{
    static const char mark[] = "\nstack traceback:";
    const char *traceback = text ? strstr(text, mark) : NULL;
    size_t len = traceback ? (size_t)(traceback - text) : 0;
    char message[1024];
    if (traceback) {
        len = len < sizeof message ? len : sizeof message - 1;
        memcpy(message, text, len);
        message[len] = '\0';
    }
    return sh_error_new(&(sh_error_fields){
        .kind = SH_REASON_RAISED,
        .message = traceback ? message : text,
        .callback = callback,
        .traceback = traceback ? traceback + 1 : NULL,
    });
}

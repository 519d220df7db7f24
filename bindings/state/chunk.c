/* SPDX-License-Identifier: MIT
 *
 * LuaJIT does not verify bytecode, which can do anything to the process. So load and similar
 * functions take only text unless the program allows bytecode. The compiler takes 1.2 KB of C
 * stack for each of 200 levels of nested code: it gets the text in small pieces, and no more of
 * them when too little stack is left. */
#include "state/chunk.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char refusal[] =
    "precompiled bytecode is refused, because LuaJIT does not verify it "
    "(--allow-bytecode, sh_lua_opts.allow_bytecode)";

/* Bytes of a piece of text, and so the most levels of nested code in it. */
enum { PIECE = 64 };

/* Where the text comes from: memory, a file, or calls of the function at index 1. */
struct source {
    struct shl_guard *guard;
    const char *text;
    size_t len;
    FILE *file;
    bool is_function;
    bool has_begun;
    const char *problem; /* why the text ended early */
    char piece[PIECE];
};

enum { READER_INDEX = 1, ANCHOR_INDEX = 5 };

/* Calls the function; its string stays at ANCHOR_INDEX. */
static void call_reader(lua_State *L, struct source *source)
{
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, READER_INDEX);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, ANCHOR_INDEX);
    source->text = lua_tolstring(L, ANCHOR_INDEX, &source->len);
}

static void fill(lua_State *L, struct source *source)
{
    if (source->file) {
        source->text = source->piece;
        source->len = fread(source->piece, 1, PIECE, source->file);
    } else if (source->is_function) {
        call_reader(L, source);
    }
}

/* A lua_Reader. It raises no error of its own, because a message handler would get it. */
static const char *next_piece(lua_State *L, void *data, size_t *size)
{
    struct source *source = data;
    if (shl_c_stack_is_short(&source->guard->stack))
        source->problem = "C stack overflow";
    else if (source->len == 0)
        fill(L, source);
    if (!source->has_begun && source->len > 0 && *source->text == *LUA_SIGNATURE &&
        !source->guard->allow_bytecode)
        source->problem = refusal;
    source->has_begun = true;
    *size = source->problem ? 0 : source->len < PIECE ? source->len : PIECE;
    const char *piece = source->text;
    source->text += *size;
    source->len -= *size;
    return *size ? piece : NULL;
}

/* Pushes "x.lua: the problem"; without a name if the chunk has none. */
static void push_problem(lua_State *L, const char *name, const char *problem)
{
    bool is_named = *name == '@' || *name == '=';
    lua_pushfstring(L, "%s%s%s", is_named ? name + 1 : "", is_named ? ": " : "", problem);
}

static int load_source(lua_State *L, struct source *source, const char *name,
                       const char *mode)
{
    int top = lua_gettop(L);
    int status = lua_loadx(L, next_piece, source, name, mode);
    if (!source->problem)
        return status;
    lua_settop(L, top);
    push_problem(L, name, source->problem);
    return LUA_ERRSYNTAX;
}

int shl_chunk_load(struct shl_guard *guard, lua_State *L, const char *text, size_t len,
                   const char *name)
{
    struct source source = {.guard = guard, .text = text, .len = len};
    return load_source(L, &source, name, NULL);
}

static int fail_file(lua_State *L, const char *what, const char *name)
{
    lua_pushfstring(L, "cannot %s %s: %s", what, name + 1, strerror(errno));
    return LUA_ERRFILE;
}

/* Loads a file; path NULL: standard input. Leaves the function or the message. */
static int load_file(struct shl_guard *guard, lua_State *L, const char *path,
                     const char *mode)
{
    const char *name = lua_pushfstring(L, path ? "@%s" : "=stdin", path);
    struct source source = {.guard = guard, .file = path ? fopen(path, "rbe") : stdin};
    int status = LUA_ERRFILE;
    if (!source.file) {
        fail_file(L, "open", name);
    } else {
        status = load_source(L, &source, name, mode);
        if (ferror(source.file))
            status = fail_file(L, "read", name);
        if (path)
            fclose(source.file);
    }
    lua_remove(L, -2);
    return status;
}

int shl_chunk_load_file(struct shl_guard *guard, lua_State *L, const char *path)
{
    return load_file(guard, L, path, NULL);
}

int shl_chunk_load_dump(lua_State *L)
{
    size_t len;
    const char *bytes = luaL_checklstring(L, 1, &len);
    return luaL_loadbufferx(L, bytes, len, "=dump", "b") == 0 ? 1 : lua_error(L);
}

/* -- for scripts ----------------------------------------------------------------------- */

static struct shl_guard *own_guard(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* function | nil, message; `env` is the index of the function's environment, if one is given. */
static int return_chunk(lua_State *L, int status, int env)
{
    if (status != 0) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (lua_istable(L, env)) {
        lua_pushvalue(L, env);
        lua_setfenv(L, -2);
    }
    return 1;
}

/* LuaJIT also loads the bytes in a buffer of string.buffer: they replace it on the stack. */
static void unpack_buffer(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TUSERDATA || !luaL_getmetafield(L, 1, "__metatable"))
        return;
    lua_pushliteral(L, "buffer");
    if (lua_rawequal(L, -1, -2) && luaL_callmeta(L, 1, "__tostring"))
        lua_replace(L, 1);
}

/* load(text | function, name, mode, env) -> function | nil, message */
static int chunk_load(lua_State *L)
{
    struct source source = {.guard = own_guard(L)};
    lua_settop(L, ANCHOR_INDEX - 1);
    unpack_buffer(L);
    lua_settop(L, ANCHOR_INDEX);
    source.is_function = !lua_isstring(L, 1);
    if (source.is_function)
        luaL_checktype(L, 1, LUA_TFUNCTION);
    else
        source.text = lua_tolstring(L, 1, &source.len);
    const char *name = luaL_optstring(L, 2, source.text ? source.text : "=(load)");
    const char *mode = luaL_optstring(L, 3, NULL);
    return return_chunk(L, load_source(L, &source, name, mode), 4);
}

/* loadfile(path = standard input, mode, env) -> function | nil, message */
static int chunk_loadfile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL), *mode = luaL_optstring(L, 2, NULL);
    lua_settop(L, 3);
    return return_chunk(L, load_file(own_guard(L), L, path, mode), 3);
}

/* dofile(path = standard input) -> what it returns */
static int chunk_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (load_file(own_guard(L), L, path, NULL) != 0)
        return lua_error(L);
    lua_call(L, 0, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

void shl_chunk_open(struct shl_guard *guard, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"load", chunk_load},
        {"loadstring", chunk_load},
        {"loadfile", chunk_loadfile},
        {"dofile", chunk_dofile},
        {NULL, NULL},
    };
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushlightuserdata(L, guard);
        lua_pushcclosure(L, function->func, 1);
        lua_setglobal(L, function->name);
    }
}

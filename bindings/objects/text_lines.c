/* SPDX-License-Identifier: MIT
 *
 * The object that cuts chunks of bytes into lines. */
#include "events/strings.h"
#include "objects/text.h"

struct lines {
    struct shl_object base;
    sh_lines *lines; /* NULL once finalised, and before it is made */
};

static sh_lines *check_lines(lua_State *L)
{
    const struct lines *self = shl_type_check(L, 1, &shl_text_splitter_type);
    luaL_argcheck(L, self->lines, 1, "the splitter is finalised");
    return self->lines;
}

static int lines_gc(lua_State *L)
{
    struct lines *self = shl_type_test(L, 1, &shl_text_splitter_type);
    if (self) {
        sh_lines_free(self->lines);
        self->lines = NULL;
    }
    return 0;
}

/* Gives the result of a call to the list on top; returns nil in place of an empty list. */
static int return_block(lua_State *L, int status, struct shl_strings *out,
                        sh_strings *block)
{
    if (status == SH_EINVAL)
        return luaL_error(L, "a line has at most 4 GiB");
    if (status != SH_OK)
        return luaL_error(L, "not enough memory");
    if (!block) {
        lua_pushnil(L);
        return 1;
    }
    shl_strings_fill(L, out, block);
    return 1;
}

/* splitter:feed(chunk | packed list of chunks) -> packed list of the lines completed | nil */
static int lines_feed(lua_State *L)
{
    sh_lines *lines = check_lines(L);
    sh_strings *block;
    int status;
    if (lua_type(L, 2) == LUA_TSTRING) {
        size_t n;
        const char *bytes = lua_tolstring(L, 2, &n);
        struct shl_strings *out = shl_strings_push(L);
        status = sh_lines_feed(lines, bytes, n, &block);
        return return_block(L, status, out, block);
    }
    const struct shl_strings *chunks = shl_strings_check(L, 2);
    struct shl_strings *out = shl_strings_push(L);
    status = sh_lines_feed_all(lines, shl_strings_see(chunks), &block);
    return return_block(L, status, out, block);
}

/* splitter:finish() -> packed list of the last line | nil */
static int lines_finish(lua_State *L)
{
    sh_lines *lines = check_lines(L);
    sh_strings *block;
    struct shl_strings *out = shl_strings_push(L);
    int status = sh_lines_finish(lines, &block);
    return return_block(L, status, out, block);
}

/* splitter:kept() -> bytes */
static int lines_kept(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sh_lines_kept(check_lines(L)));
    return 1;
}

static const luaL_Reg lines_metamethods[] = {{"__gc", lines_gc}, {NULL, NULL}};

static const luaL_Reg lines_methods[] = {
    {"feed", lines_feed},
    {"finish", lines_finish},
    {"kept", lines_kept},
    {NULL, NULL},
};

const struct shl_type shl_text_splitter_type = {
    .name = "stagehost.text.splitter",
    .noun = "a splitter of lines",
    .metamethods = lines_metamethods,
    .methods = lines_methods,
};

int shl_text_splitter(lua_State *L)
{
    bool keep_cr = lua_toboolean(L, 1);
    struct lines *self = shl_type_new(L, &shl_text_splitter_type, sizeof *self);
    self->lines = sh_lines_new(keep_cr);
    return self->lines ? 1 : luaL_error(L, "not enough memory");
}

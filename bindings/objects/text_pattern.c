/* SPDX-License-Identifier: MIT
 *
 * A pattern as an object. */
#include "objects/text.h"

struct pattern {
    struct shl_object base;
    sh_pattern *pattern; /* NULL once finalised, and before it is made */
};

sh_pattern *shl_text_check_pattern(lua_State *L, int index)
{
    const struct pattern *self = shl_type_check(L, index, &shl_text_pattern_type);
    luaL_argcheck(L, self->pattern, index, "the pattern is finalised");
    return self->pattern;
}

static int pattern_gc(lua_State *L)
{
    struct pattern *self = shl_type_test(L, 1, &shl_text_pattern_type);
    if (self) {
        sh_pattern_free(self->pattern);
        self->pattern = NULL;
    }
    return 0;
}

static void push_capture(lua_State *L, const char *text, sh_capture capture)
{
    if (capture.is_position)
        lua_pushnumber(L, (lua_Number)capture.start + 1);
    else
        lua_pushlstring(L, text + capture.start, capture.len);
}

/* pattern:find(text, init) -> what string.find(text, pattern, init) returns */
static int pattern_find(lua_State *L)
{
    sh_pattern *pattern = shl_text_check_pattern(L, 1);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    lua_Integer init = luaL_optinteger(L, 3, 1);
    luaL_argcheck(L, init >= 1, 3, "must be at least 1");
    int found = sh_pattern_find(pattern, text, len, (size_t)init - 1);
    if (found == SH_EFAILED)
        return luaL_error(L, "the search for the pattern takes too many steps");
    if (found < 0)
        return luaL_error(L, "not enough memory");
    if (found == 0)
        return 0;
    uint32_t n = sh_pattern_captures(pattern);
    sh_capture whole = sh_pattern_capture(pattern, 0);
    luaL_checkstack(L, SH_CAPTURES_MAX + 2, NULL);
    lua_pushnumber(L, (lua_Number)whole.start + 1);
    lua_pushnumber(L, (lua_Number)(whole.start + whole.len));
    for (uint32_t i = 1; i <= n; i++)
        push_capture(L, text, sh_pattern_capture(pattern, i));
    return (int)n + 2;
}

static const luaL_Reg pattern_metamethods[] = {{"__gc", pattern_gc}, {NULL, NULL}};

static const luaL_Reg pattern_methods[] = {{"find", pattern_find}, {NULL, NULL}};

const struct shl_type shl_text_pattern_type = {
    .name = "stagehost.text.pattern",
    .noun = "a pattern",
    .metamethods = pattern_metamethods,
    .methods = pattern_methods,
};

int shl_text_pattern(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len), *problem = NULL;
    bool is_plain = lua_toboolean(L, 2);
    struct pattern *self = shl_type_new(L, &shl_text_pattern_type, sizeof *self);
    int status = is_plain ? sh_pattern_plain(text, len, &self->pattern)
                          : sh_pattern_new(text, len, &self->pattern, &problem);
    if (status == SH_OK)
        return 1;
    if (status == SH_ENOMEM)
        return luaL_error(L, "not enough memory");
    lua_pushnil(L);
    lua_pushstring(L, problem);
    return 2;
}

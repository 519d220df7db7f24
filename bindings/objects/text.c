/* SPDX-License-Identifier: MIT */
#include "objects/text.h"

#include "events/strings.h"
#include "state/number.h"

sh_field shl_text_field(lua_State *L, int index)
{
    size_t len = 0;
    int64_t nth = shl_check_count(L, index, 0);
    luaL_argcheck(L, nth <= UINT32_MAX, index, "must be at most 4294967295");
    const char *separator = luaL_optlstring(L, index + 1, NULL, &len);
    return (sh_field){(uint32_t)nth, separator, len};
}

/* Gives a block to the list on top, which has none yet, and returns it. */
static int fill(lua_State *L, struct shl_strings *out, sh_strings *block)
{
    shl_strings_fill(L, out, block);
    return 1;
}

/* lines(chunks, keep_cr) -> list */
static int lines(lua_State *L)
{
    const struct shl_strings *in = shl_strings_check(L, 1);
    struct shl_strings *out = shl_strings_push(L);
    return fill(L, out, sh_text_lines(shl_strings_see(in), lua_toboolean(L, 2)));
}

/* field(list, nth, separator | nil) -> list */
static int field(lua_State *L)
{
    const struct shl_strings *in = shl_strings_check(L, 1);
    sh_field of = shl_text_field(L, 2);
    struct shl_strings *out = shl_strings_push(L);
    return fill(L, out, sh_text_field(in->block, shl_strings_see(in), &of));
}

/* split(list, nth | 0, separator | nil) -> list */
static int split(lua_State *L)
{
    const struct shl_strings *in = shl_strings_check(L, 1);
    sh_field of = shl_text_field(L, 2);
    struct shl_strings *out = shl_strings_push(L);
    return fill(L, out, sh_text_split(in->block, shl_strings_see(in), &of));
}

/* select(list, pattern, invert) -> list */
static int choose(lua_State *L)
{
    const struct shl_strings *in = shl_strings_check(L, 1);
    sh_pattern *pattern = shl_text_check_pattern(L, 2);
    struct shl_strings *out = shl_strings_push(L);
    sh_strings *block;
    uint32_t failed_at;
    int status = sh_text_select(in->block, shl_strings_see(in), pattern,
                                lua_toboolean(L, 3), &block, &failed_at);
    if (status == SH_EFAILED)
        return luaL_error(
            L, "string %d of %d: the search for the pattern takes too many steps",
            (int)failed_at + 1, (int)in->n);
    return fill(L, out, block);
}

/* hash(list, n, nth | 0, separator | nil) -> { places 0 .. n - 1 } */
static int hash(lua_State *L)
{
    const struct shl_strings *in = shl_strings_check(L, 1);
    int64_t n = shl_check_count(L, 2, 1);
    luaL_argcheck(L, n <= INT32_MAX, 2, "must be at most 2147483647");
    sh_field of = shl_text_field(L, 3);
    sh_strings_view view = shl_strings_see(in);
    uint32_t *places = lua_newuserdata(L, view.n * sizeof *places);
    sh_text_hash(view, &of, (uint32_t)n, places);
    lua_createtable(L, (int)view.n, 0);
    for (uint32_t i = 0; i < view.n; i++) {
        lua_pushinteger(L, (lua_Integer)places[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"lines", lines},
    {"field", field},
    {"split", split},
    {"select", choose},
    {"hash", hash},
    {"splitter", shl_text_splitter},
    {"pattern", shl_text_pattern},
    {"counts", shl_text_counts},
    {NULL, NULL},
};

int luaopen_stagehost_core_text(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    shl_type_open(L, &shl_text_splitter_type);
    lua_setfield(L, -2, "Splitter");
    shl_type_open(L, &shl_text_pattern_type);
    lua_setfield(L, -2, "Pattern");
    shl_type_open(L, &shl_text_counts_type);
    lua_setfield(L, -2, "Counts");
    return 1;
}

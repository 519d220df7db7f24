/* SPDX-License-Identifier: MIT
 *
 * The object that counts keys. */
#include "events/strings.h"
#include "objects/text.h"

struct counts {
    struct shl_object base;
    sh_counts *counts; /* NULL once finalised, and before it is made */
};

static sh_counts *check_counts(lua_State *L, int index)
{
    const struct counts *self = shl_type_check(L, index, &shl_text_counts_type);
    luaL_argcheck(L, self->counts, index, "the counts are finalised");
    return self->counts;
}

static int counts_gc(lua_State *L)
{
    struct counts *self = shl_type_test(L, 1, &shl_text_counts_type);
    if (self) {
        sh_counts_free(self->counts);
        self->counts = NULL;
    }
    return 0;
}

static int counts_len(lua_State *L)
{
    lua_pushnumber(L, sh_counts_n(check_counts(L, 1)));
    return 1;
}

/* counts:add(list, nth | 0, separator | nil) */
static int counts_add(lua_State *L)
{
    sh_counts *counts = check_counts(L, 1);
    const struct shl_strings *in = shl_strings_check(L, 2);
    sh_field of = shl_text_field(L, 3);
    if (sh_counts_add(counts, shl_strings_see(in), &of) < 0)
        return luaL_error(L, "not enough memory");
    return 0;
}

/* counts:merge(others) */
static int counts_merge(lua_State *L)
{
    if (sh_counts_merge(check_counts(L, 1), check_counts(L, 2)) < 0)
        return luaL_error(L, "not enough memory");
    return 0;
}

static void push_key(lua_State *L, sh_count count)
{
    lua_pushlstring(L, count.key, count.len);
}

/* counts:list() -> { { key, n }, ... } */
static int counts_list(lua_State *L)
{
    const sh_counts *counts = check_counts(L, 1);
    uint32_t n = sh_counts_n(counts);
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        sh_count count = sh_counts_at(counts, i);
        lua_createtable(L, 2, 0);
        push_key(L, count);
        lua_rawseti(L, -2, 1);
        lua_pushnumber(L, (lua_Number)count.n);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* counts:table() -> { [key] = n } */
static int counts_table(lua_State *L)
{
    const sh_counts *counts = check_counts(L, 1);
    uint32_t n = sh_counts_n(counts);
    lua_createtable(L, 0, (int)n);
    for (uint32_t i = 0; i < n; i++) {
        sh_count count = sh_counts_at(counts, i);
        push_key(L, count);
        lua_pushnumber(L, (lua_Number)count.n);
        lua_rawset(L, -3);
    }
    return 1;
}

static const luaL_Reg counts_metamethods[] = {
    {"__gc", counts_gc},
    {"__len", counts_len},
    {NULL, NULL},
};

static const luaL_Reg counts_methods[] = {
    {"add", counts_add},   {"merge", counts_merge},
    {"list", counts_list}, {"table", counts_table},
    {NULL, NULL},
};

const struct shl_type shl_text_counts_type = {
    .name = "stagehost.text.counts",
    .noun = "counts",
    .metamethods = counts_metamethods,
    .methods = counts_methods,
};

int shl_text_counts(lua_State *L)
{
    struct counts *self = shl_type_new(L, &shl_text_counts_type, sizeof *self);
    self->counts = sh_counts_new();
    return self->counts ? 1 : luaL_error(L, "not enough memory");
}

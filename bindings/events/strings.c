/* SPDX-License-Identifier: MIT */
#include "events/strings.h"

#include <string.h>

static int strings_gc(lua_State *L)
{
    struct shl_strings *strings = shl_type_test(L, 1, &shl_strings_type);
    if (strings) {
        sh_strings_unref(strings->block);
        strings->block = NULL;
        strings->n = 0;
    }
    return 0;
}

static int strings_len(lua_State *L)
{
    lua_pushnumber(L, shl_strings_check(L, 1)->n);
    return 1;
}

static int strings_tostring(lua_State *L)
{
    lua_pushfstring(L, "packed list<%d strings>", (int)shl_strings_check(L, 1)->n);
    return 1;
}

static void push_string(lua_State *L, const char *bytes, sh_span span)
{
    lua_pushlstring(L, bytes + span.start, span.len);
}

/* A number is the place of a string, from 1 on; anything else is the name of a method, which is the
 * upvalue's. */
static int strings_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TNUMBER) {
        luaL_getmetafield(L, 1, "methods");
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        return 1;
    }
    sh_strings_view view = shl_strings_see(shl_strings_check(L, 1));
    lua_Number i = lua_tonumber(L, 2);
    if (i >= 1 && i <= view.n && i == (uint32_t)i)
        push_string(L, view.bytes, view.spans[(uint32_t)i - 1]);
    else
        lua_pushnil(L);
    return 1;
}

static int strings_table(lua_State *L)
{
    shl_strings_push_table(L, shl_strings_see(shl_strings_check(L, 1)));
    return 1;
}

/* The number of strings from i on that lie in the block with just `end` between them. */
static uint32_t find_run(sh_strings_view view, uint32_t i, const char *end, size_t n_end)
{
    uint32_t n = 1;
    for (; i + n < view.n; n++) {
        sh_span one = view.spans[i + n - 1], next = view.spans[i + n];
        uint64_t gap = (uint64_t)one.start + one.len;
        if (next.start != gap + n_end || memcmp(view.bytes + gap, end, n_end) != 0)
            break;
    }
    return n;
}

/* Copies the strings to `to`, with `end` behind each. Lines that are next to one another are copied
 * at once. */
static void copy_text(char *to, sh_strings_view view, const char *end, size_t n_end)
{
    for (uint32_t i = 0, n; i < view.n; i += n) {
        n = find_run(view, i, end, n_end);
        sh_span first = view.spans[i], last = view.spans[i + n - 1];
        size_t len = (size_t)last.start + last.len - first.start;
        memcpy(to, view.bytes + first.start, len);
        memcpy(to + len, end, n_end);
        to += len + n_end;
    }
}

/* list:text(end) -> a string of all strings, with `end` behind each */
static int strings_text(lua_State *L)
{
    sh_strings_view view = shl_strings_see(shl_strings_check(L, 1));
    size_t n_end, n = 0;
    const char *end = luaL_checklstring(L, 2, &n_end);
    for (uint32_t i = 0; i < view.n; i++)
        n += view.spans[i].len + n_end;
    char *text = lua_newuserdata(L, n);
    copy_text(text, view, end, n_end);
    lua_pushlstring(L, text, n);
    return 1;
}

static const luaL_Reg strings_metamethods[] = {
    {"__gc", strings_gc},
    {"__len", strings_len},
    {"__tostring", strings_tostring},
    {NULL, NULL},
};

static const luaL_Reg strings_methods[] = {
    {"table", strings_table},
    {"text", strings_text},
    {NULL, NULL},
};

const struct shl_type shl_strings_type = {
    .name = "stagehost.strings",
    .noun = "a packed list",
    .metamethods = strings_metamethods,
    .methods = strings_methods,
    .index = strings_index,
};

struct shl_strings *shl_strings_push(lua_State *L)
{
    return shl_type_new(L, &shl_strings_type, sizeof(struct shl_strings));
}

/* Has the collector do a part of its work for the bytes that the object on top holds: that for an
 * eighth of them, so that blocks of a few heaps wait for it. Little blocks are counted by their
 * object's own size. */
static void pace_collector(lua_State *L, const struct shl_strings *strings)
{
    enum { LITTLE = 1024, SHARE = 8 * 1024 };
    sh_strings_view view = shl_strings_see(strings);
    if (view.n == 0)
        return;
    sh_span last = view.spans[view.n - 1];
    size_t held = view.n * sizeof *view.spans;
    if (last.start >= view.spans[0].start)
        held += last.start + last.len - view.spans[0].start;
    if (held >= LITTLE)
        lua_gc(L, LUA_GCSTEP, (int)(held / SHARE + 1));
}

void shl_strings_fill(lua_State *L, struct shl_strings *strings, sh_strings *block)
{
    if (!block)
        luaL_error(L, "not enough memory");
    strings->block = block;
    strings->n = sh_strings_see(block).n;
    pace_collector(L, strings);
}

void shl_strings_push_batch(lua_State *L, sh_batch batch)
{
    struct shl_strings *strings = shl_strings_push(L);
    strings->block = sh_strings_ref(sh_batch_strings(batch, &strings->first));
    strings->n = batch.n;
    pace_collector(L, strings);
}

struct shl_strings *shl_strings_test(lua_State *L, int index)
{
    struct shl_strings *strings = shl_type_test(L, index, &shl_strings_type);
    return strings && strings->block ? strings : NULL;
}

struct shl_strings *shl_strings_check(lua_State *L, int index)
{
    struct shl_strings *strings = shl_type_check(L, index, &shl_strings_type);
    luaL_argcheck(L, strings->block, index, "the packed list is finalised");
    return strings;
}

sh_strings_view shl_strings_see(const struct shl_strings *strings)
{
    sh_strings_view view = sh_strings_see(strings->block);
    return (sh_strings_view){view.bytes, view.spans + strings->first, strings->n};
}

int shl_strings_batch(const struct shl_strings *strings, sh_batch *out)
{
    return sh_batch_from_strings(sh_strings_ref(strings->block), strings->first, strings->n,
                                 out);
}

void shl_strings_push_table(lua_State *L, sh_strings_view view)
{
    lua_createtable(L, (int)view.n, 0);
    for (uint32_t i = 0; i < view.n; i++) {
        push_string(L, view.bytes, view.spans[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* -- packing --------------------------------------------------------------------------- */

/* The sum of the lengths of the strings 1 .. n of the table at 1. */
static size_t measure(lua_State *L, size_t n)
{
    size_t sum = 0;
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, (int)i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "element %d of %d is a %s: only strings can be packed", (int)i,
                       (int)n, luaL_typename(L, -1));
        sum += lua_objlen(L, -1);
        lua_pop(L, 1);
    }
    return sum;
}

static void copy_strings(lua_State *L, uint32_t n, sh_span *spans, char *bytes)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        lua_rawgeti(L, 1, (int)i + 1);
        const char *data = lua_tolstring(L, -1, &len);
        memcpy(bytes + at, data, len);
        spans[i] = (sh_span){at, (uint32_t)len};
        at += (uint32_t)len;
        lua_pop(L, 1);
    }
}

int shl_strings_pack(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t n = lua_objlen(L, 1), n_bytes = measure(L, n);
    struct shl_strings *strings = shl_strings_push(L);
    sh_span *spans;
    char *bytes;
    strings->block = sh_strings_new((uint32_t)n, n_bytes, &spans, &bytes);
    if (!strings->block)
        return luaL_error(L, n_bytes > SH_STRINGS_MAX ? "a packed list has at most 4 GiB"
                                                      : "not enough memory");
    strings->n = (uint32_t)n;
    copy_strings(L, strings->n, spans, bytes);
    sh_strings_seal(strings->block);
    pace_collector(L, strings);
    return 1;
}

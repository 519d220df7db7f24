/* SPDX-License-Identifier: MIT */
#include "events/strings.h"

#include <string.h>

#include "state/slot.h"

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

/* A longer list is read by compiled Lua, which is faster once it runs. */
enum { FEW = 16 };

static void push_few(lua_State *L, sh_strings_view view)
{
    lua_createtable(L, (int)view.n, 0);
    for (uint32_t i = 0; i < view.n; i++) {
        push_string(L, view.bytes, view.spans[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

void shl_strings_push_table(lua_State *L, sh_strings_view view)
{
    if (view.n <= FEW) {
        push_few(L, view);
        return;
    }
    shl_helper_push(shl_context(L), L, SHL_HELPER_STRINGS);
    lua_pushlightuserdata(L, (void *)view.spans);
    lua_pushlightuserdata(L, (void *)view.bytes);
    lua_pushnumber(L, view.n);
    lua_call(L, 3, 1);
}

/* -- packing --------------------------------------------------------------------------- */

/* Pushes a helper and the events first + 1 .. first + n of the table at `index`. */
static void push_call(lua_State *L, enum shl_helper helper, int index, uint32_t first,
                      uint32_t n)
{
    shl_helper_push(shl_context(L), L, helper);
    lua_pushvalue(L, index);
    lua_pushnumber(L, first);
    lua_pushnumber(L, n);
}

/* The sum of the lengths of the strings. At anything else it stops: *bad is its place, else 0. */
static size_t measure(lua_State *L, int index, uint32_t first, uint32_t n, uint32_t *bad)
{
    push_call(L, SHL_HELPER_MEASURE, index, first, n);
    lua_call(L, 3, 2);
    size_t sum = (size_t)lua_tonumber(L, -2);
    *bad = (uint32_t)lua_tonumber(L, -1);
    lua_pop(L, 2);
    return sum;
}

/* Without memory, *out is NULL. */
static void pack(lua_State *L, int index, uint32_t first, uint32_t n, size_t n_bytes,
                 sh_strings **out)
{
    sh_span *spans;
    char *bytes;
    *out = sh_strings_new(n, n_bytes, &spans, &bytes);
    if (!*out)
        return;
    push_call(L, SHL_HELPER_FILL, index, first, n);
    lua_pushlightuserdata(L, spans);
    lua_pushlightuserdata(L, bytes);
    lua_call(L, 5, 0);
    sh_strings_seal(*out);
}

void shl_strings_try_pack(lua_State *L, int index, uint32_t first, uint32_t n,
                          sh_strings **out)
{
    *out = NULL;
    lua_rawgeti(L, index, (int)first + 1);
    bool may_fit = lua_type(L, -1) == LUA_TSTRING;
    lua_pop(L, 1);
    if (!may_fit)
        return;
    uint32_t bad;
    size_t n_bytes = measure(L, index, first, n, &bad);
    if (!bad)
        pack(L, index, first, n, n_bytes, out);
}

int shl_strings_pack(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    uint32_t bad, n = (uint32_t)lua_objlen(L, 1);
    size_t n_bytes = measure(L, 1, 0, n, &bad);
    if (bad) {
        lua_rawgeti(L, 1, (int)bad);
        return luaL_error(L, "element %d of %d is a %s: only strings can be packed",
                          (int)bad, (int)n, luaL_typename(L, -1));
    }
    struct shl_strings *strings = shl_strings_push(L);
    pack(L, 1, 0, n, n_bytes, &strings->block);
    if (!strings->block)
        return luaL_error(L, n_bytes > SH_STRINGS_MAX ? "a packed list has at most 4 GiB"
                                                      : "not enough memory");
    strings->n = n;
    pace_collector(L, strings);
    return 1;
}

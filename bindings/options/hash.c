/* SPDX-License-Identifier: MIT
 *
 * Hashes Lua values by structure: equal data gets equal codes on every worker and in every
 * run. Integers of 32 bits are hashed by lua/stagehost/engine/routing.lua alike, without a call. */
#include "options/hash.h"

#include <lauxlib.h>
#include <string.h>

#include "state/handle.h"

/* Deeper tables all count the same, which also ends cycles. */
enum { MAX_DEPTH = 8 };

static uint32_t mix(uint32_t x)
{
    uint32_t h = x + 0x3c6ef35fu;
    h ^= h >> 15;
    h += h << 10;
    h ^= h >> 6;
    h += h << 3;
    h ^= h >> 11;
    h += h << 15;
    return h ^ (h >> 16);
}

static uint32_t hash_bytes(const char *data, size_t len)
{
    uint32_t h = mix((uint32_t)len);
    for (; len >= 4; data += 4, len -= 4) {
        uint32_t word;
        memcpy(&word, data, 4);
        h = (h ^ word) * 0x9e3779b1u;
        h ^= h >> 15;
    }
    for (; len > 0; data++, len--)
        h = (h ^ (unsigned char)*data) * 0x01000193u;
    return mix(h);
}

/* 1 and 1.0, 0 and -0 are the same number. */
static uint32_t hash_number(lua_Number value)
{
    if (value >= INT32_MIN && value <= INT32_MAX && value == (lua_Number)(int32_t)value)
        return mix((uint32_t)(int32_t)value);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return mix((uint32_t)bits ^ mix((uint32_t)(bits >> 32)));
}

static uint32_t hash_value(lua_State *L, int index, int depth);

/* A sum, since the order of keys means nothing. */
static uint32_t hash_table(lua_State *L, int index, int depth)
{
    uint32_t sum = 0;
    if (depth == MAX_DEPTH || !lua_checkstack(L, 4))
        return 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        int value = lua_gettop(L);
        uint32_t key = hash_value(L, value - 1, depth + 1);
        sum += mix(key + 3 * hash_value(L, value, depth + 1));
        lua_pop(L, 1);
    }
    return sum;
}

static uint32_t hash_object(lua_State *L, int index)
{
    sh_stage *stage = shl_test_stage(L, index);
    if (stage)
        return hash_number((lua_Number)sh_stage_id(stage));
    sh_subscription *sub = shl_test_subscription(L, index);
    return sub ? hash_number((lua_Number)sh_subscription_id(sub)) : 0;
}

static uint32_t hash_value(lua_State *L, int index, int depth)
{
    int type = lua_type(L, index);
    size_t len;
    const char *text;
    switch (type) {
    case LUA_TBOOLEAN:
        return mix(0x10000u + (uint32_t)lua_toboolean(L, index));
    case LUA_TNUMBER:
        return hash_number(lua_tonumber(L, index));
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        return hash_bytes(text, len);
    case LUA_TTABLE:
        return mix(0x20000u + hash_table(L, index, depth));
    case LUA_TUSERDATA:
        return hash_object(L, index);
    }
    return mix(0x30000u + (uint32_t)type);
}

int shl_hash_events(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    int first = (int)luaL_checkinteger(L, 3), last = (int)luaL_checkinteger(L, 4);
    for (int i = first; i <= last; i++) {
        lua_rawgeti(L, 2, i);
        int32_t code;
        uint32_t bits = hash_value(L, lua_gettop(L), 0);
        memcpy(&code, &bits, sizeof code);
        lua_pop(L, 1);
        lua_pushinteger(L, code);
        lua_rawseti(L, 1, i);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "state/number.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>

static const lua_Number max_integer = 9007199254740992.0; /* 2^53 */

static lua_Number check_at_least(lua_State *L, int index, int64_t min, const char *what)
{
    lua_Number value = luaL_checknumber(L, index);
    if (!(value >= (lua_Number)min && value <= max_integer))
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "must be %s >= %d, got %f", what, (int)min, value));
    return value;
}

uint64_t shl_check_ms(lua_State *L, int index, uint64_t min)
{
    lua_Number value = check_at_least(L, index, (int64_t)min, "a number of milliseconds");
    uint64_t whole = (uint64_t)value;
    return (lua_Number)whole < value ? whole + 1 : whole;
}

int64_t shl_check_count(lua_State *L, int index, int64_t min)
{
    lua_Number value = check_at_least(L, index, min, "an integer");
    int64_t whole = (int64_t)value;
    if ((lua_Number)whole != value)
        luaL_argerror(L, index, lua_pushfstring(L, "must be an integer, got %f", value));
    return whole;
}

uint64_t shl_check_limit(lua_State *L, int index)
{
    bool is_huge = lua_type(L, index) == LUA_TNUMBER && lua_tonumber(L, index) == HUGE_VAL;
    return is_huge || lua_isnoneornil(L, index) ? 0 : shl_check_ms(L, index, 1);
}

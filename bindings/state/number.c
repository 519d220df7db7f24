/* SPDX-License-Identifier: MIT */
#include "state/number.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const lua_Number max_integer = 9007199254740992.0; /* 2^53 */

static void check_bounds(lua_State *L, int index, lua_Number value, int64_t min,
                         const char *what)
{
    if (!(value >= (lua_Number)min && value <= max_integer))
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "must be %s >= %d, got %f", what, (int)min, value));
}

/* The milliseconds of a unit; 0: no such unit. */
static lua_Number unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        lua_Number ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ms;
    return 0;
}

/* Reads "250ms", "1.5s", "5m", "1h"; negative if the text is no duration. */
static lua_Number parse_duration(const char *text)
{
    const char *p = text;
    lua_Number value = 0, place = 1;
    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    if (p > text && *p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++)
            value += (*p - '0') * (place /= 10);
    lua_Number unit = p > text ? unit_ms(p) : 0;
    return unit > 0 ? value * unit : -1;
}

uint64_t shl_check_ms(lua_State *L, int index, uint64_t min)
{
    lua_Number value;
    if (lua_type(L, index) == LUA_TSTRING) {
        value = parse_duration(lua_tostring(L, index));
        if (value < 0)
            luaL_argerror(L, index,
                          lua_pushfstring(L,
                                          "must be a number of milliseconds, or a duration "
                                          "such as \"250ms\", \"10s\", \"5m\", got \"%s\"",
                                          lua_tostring(L, index)));
    } else {
        value = luaL_checknumber(L, index);
    }
    check_bounds(L, index, value, (int64_t)min, "a number of milliseconds");
    uint64_t whole = (uint64_t)value;
    return (lua_Number)whole < value ? whole + 1 : whole;
}

int64_t shl_check_count(lua_State *L, int index, int64_t min)
{
    lua_Number value = luaL_checknumber(L, index);
    check_bounds(L, index, value, min, "an integer");
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

/* SPDX-License-Identifier: MIT */
#include "events/hole.h"

#include "state/call.h"
#include "state/slot.h"

/* Whether the table at `index` has a key above n. */
static bool has_more(lua_State *L, int index, size_t n)
{
    if (n > 0)
        lua_pushnumber(L, (lua_Number)n);
    else
        lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) > (lua_Number)n) {
            lua_pop(L, 1);
            return true;
        }
    }
    return false;
}

struct search {
    struct shl_context *ctx;
    lua_State *from;
    int index;
    size_t n, place;
};

static int find_nil(lua_State *L)
{
    struct search *search = lua_touserdata(L, 1);
    shl_helper_push(search->ctx, L, SHL_HELPER_FIND_NIL);
    lua_pushvalue(search->from, search->index);
    lua_xmove(search->from, L, 1);
    lua_pushnumber(L, (lua_Number)search->n);
    lua_call(L, 2, 1);
    search->place = (size_t)lua_tointeger(L, -1);
    return 0;
}

static size_t find_below(struct shl_context *ctx, lua_State *L, int index, size_t n)
{
    struct search search = {ctx, L, index, n, 0};
    if (n > 1)
        shl_protect(ctx, find_nil, &search, NULL);
    return search.place;
}

bool shl_hole_is_unseen_in(struct shl_stage *s, lua_State *L, size_t n, bool is_looked_at)
{
    int index = lua_gettop(L);
    return !has_more(L, index, n) && !(is_looked_at && find_below(s->ctx, L, index, n));
}

size_t shl_hole_find(struct shl_context *ctx, lua_State *L, int index, size_t n)
{
    size_t place = find_below(ctx, L, index, n);
    if (place == 0 && has_more(L, index, n))
        place = n + 1;
    return place;
}

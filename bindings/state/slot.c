/* SPDX-License-Identifier: MIT
 *
 * Slots. C code that keeps a Lua value alive holds its index in one table, the only value
 * on the stack of a thread that never runs code (ctx->store): reading and writing a slot is
 * rawgeti/rawseti at a fixed place, whichever code runs, and neither allocates nor raises.
 * Free slots hold false, so that the table's array part never shrinks. */
#include "state/slot.h"

#include "state/call.h"

enum { FIRST_SLOTS = 64 };

void shl_slots_open(struct shl_context *ctx, lua_State *L)
{
    ctx->store = lua_newthread(L);
    lua_newtable(L);
    lua_xmove(L, ctx->store, 1);
    lua_pushlightuserdata(L, &ctx->store);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

void shl_slots_free(struct shl_context *ctx)
{
    sh_free(ctx->free_slots);
}

static int fill_slots(lua_State *L)
{
    const struct shl_context *ctx = lua_touserdata(L, 1);
    uint32_t n = ctx->n_slots ? ctx->n_slots * 2 : FIRST_SLOTS;
    lua_pushvalue(ctx->store, 1);
    lua_xmove(ctx->store, L, 1);
    for (uint32_t i = ctx->n_slots + 1; i <= n; i++) {
        lua_pushboolean(L, 0);
        lua_rawseti(L, -2, (int)i);
    }
    return 0;
}

static bool grow_slots(struct shl_context *ctx)
{
    uint32_t n = ctx->n_slots ? ctx->n_slots * 2 : FIRST_SLOTS;
    uint32_t *free_slots = sh_realloc(ctx->free_slots, n * sizeof *free_slots);
    if (!free_slots)
        return false;
    ctx->free_slots = free_slots;
    if (shl_protect(ctx, fill_slots, ctx, NULL) < 0)
        return false;
    for (uint32_t i = n; i > ctx->n_slots; i--)
        ctx->free_slots[ctx->n_free_slots++] = i;
    ctx->n_slots = n;
    return true;
}

uint32_t shl_slot_reserve(struct shl_context *ctx)
{
    if (ctx->n_free_slots == 0 && !grow_slots(ctx))
        return 0;
    return ctx->free_slots[--ctx->n_free_slots];
}

void shl_slot_fill(struct shl_context *ctx, lua_State *L, uint32_t slot)
{
    lua_xmove(L, ctx->store, 1);
    lua_rawseti(ctx->store, 1, (int)slot);
}

void shl_slot_unreserve(struct shl_context *ctx, uint32_t slot)
{
    ctx->free_slots[ctx->n_free_slots++] = slot;
}

uint32_t shl_slot_try(struct shl_context *ctx, lua_State *L)
{
    uint32_t slot = shl_slot_reserve(ctx);
    if (slot)
        shl_slot_fill(ctx, L, slot);
    else
        lua_pop(L, 1);
    return slot;
}

uint32_t shl_slot_take(struct shl_context *ctx, lua_State *L)
{
    uint32_t slot = shl_slot_try(ctx, L);
    if (slot == 0)
        luaL_error(L, "not enough memory");
    return slot;
}

void shl_slot_push(struct shl_context *ctx, lua_State *L, uint32_t slot)
{
    lua_rawgeti(ctx->store, 1, (int)slot);
    lua_xmove(ctx->store, L, 1);
}

void shl_slot_free(struct shl_context *ctx, uint32_t slot)
{
    if (slot == 0)
        return;
    lua_pushboolean(ctx->store, 0);
    lua_rawseti(ctx->store, 1, (int)slot);
    shl_slot_unreserve(ctx, slot);
}

void shl_helper_push(struct shl_context *ctx, lua_State *L, enum shl_helper helper)
{
    shl_slot_push(ctx, L, ctx->helpers[helper]);
}

/* SPDX-License-Identifier: MIT
 *
 * Slots keep Lua values alive for C. */
#ifndef SHL_SLOT_H
#define SHL_SLOT_H

#include "state/context.h"

/* Makes the table of slots and the thread that holds it. Raises when out of memory. */
void shl_slots_open(struct shl_context *ctx, lua_State *L);
/* Frees the part that is outside the Lua state, once the state is closed. */
void shl_slots_free(struct shl_context *ctx);
/* Keeps the value on top of L and pops it; returns its slot, never 0. Raises when out of memory. */
uint32_t shl_slot_take(struct shl_context *ctx, lua_State *L);
/* Like shl_slot_take, for use outside protected calls: 0 when out of memory. Always pops. */
uint32_t shl_slot_try(struct shl_context *ctx, lua_State *L);
/* A slot to be filled later, or given back unfilled; 0 when out of memory. */
uint32_t shl_slot_reserve(struct shl_context *ctx);
/* Pops the value. */
void shl_slot_fill(struct shl_context *ctx, lua_State *L, uint32_t slot);
void shl_slot_unreserve(struct shl_context *ctx, uint32_t slot);
void shl_slot_push(struct shl_context *ctx, lua_State *L, uint32_t slot);
/* 0 is allowed. */
void shl_slot_free(struct shl_context *ctx, uint32_t slot);

void shl_helper_push(struct shl_context *ctx, lua_State *L, enum shl_helper helper);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Lua tables as lists of events. */
#ifndef SHL_BATCH_H
#define SHL_BATCH_H

#include "state/context.h"

/* Makes a list of the table on top of L (popped), n events; owned batch. */
int shl_batch_take(struct shl_context *ctx, lua_State *L, uint32_t n, sh_batch *out);
/* Pushes the events as a table: the list's own table if the range is the whole list. C values
 * are converted. */
void shl_batch_push(struct shl_context *ctx, lua_State *L, sh_batch batch);
/* One value as a payload and back; nil is a value. */
int shl_payload_take(struct shl_context *ctx, lua_State *L, sh_batch *out); /* pops it */
void shl_payload_push(struct shl_context *ctx, lua_State *L, sh_batch payload);
/* Pushes the table that is exactly this batch, without raising. False: there is none, so the events
 * have to be copied or converted. */
bool shl_batch_push_whole(lua_State *L, sh_batch batch);
/* Like shl_batch_push_whole, for events that are not needed again: the table leaves the list if
 * that is cheaper. */
bool shl_batch_move_whole(lua_State *L, sh_batch batch);
/* Makes a list of the table on top of the stage's empty or ready coroutine, where it stays until
 * the receiver of the batch takes it or the stage runs. n > 0 events; owned batch. */
int shl_batch_leave(struct shl_stage *s, uint32_t n, sh_batch *out);
/* Called before the coroutine is used: moves the table that was left on it, if any, to a slot. */
void shl_batch_keep(struct shl_stage *s);
void shl_lists_free(struct shl_context *ctx); /* the recycled heads */

#endif

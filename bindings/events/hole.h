/* SPDX-License-Identifier: MIT
 *
 * Holes in lists of events: nil where an event should be. Lua's length of such a table is any
 * of its ends, so events behind a hole may be lost, or nil be among those that are not. */
#ifndef SHL_HOLE_H
#define SHL_HOLE_H

#include "state/lua_stage.h"

/* Whether no hole shows in the table on top of L, of length n > 0, that a ready callback of `s`
 * returned. Costs nothing for a list that has as many events as were asked for or given
 * (s->expected); in any other one, events behind its length are seen. A look at every event
 * is taken in the first lists of a stage, and now and then in later ones. */
bool shl_hole_is_unseen(struct shl_stage *s, lua_State *L, size_t n);

/* The place of the first hole in the table at `index` (positive), of length n, or 0. Looks at every
 * event. Does not raise; out of memory counts as none. */
size_t shl_hole_find(struct shl_context *ctx, lua_State *L, int index, size_t n);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Holes in lists of events: nil where an event should be. Lua may take any hole as the end of
 * such a table, so events after a hole may be lost, or nil may be among the events. */
#ifndef SHL_HOLE_H
#define SHL_HOLE_H

#include "state/lua_stage.h"

/* Whether no hole shows in the table on top of L, of length n > 0, that a ready callback of `s`
 * returned. Costs nothing for a list that has as many events as were asked for or given
 * (s->expected); in any other list it finds events beyond the length. It checks every event in
 * the first lists of a stage, and now and then in later ones. */
bool shl_hole_is_unseen(struct shl_stage *s, lua_State *L, size_t n);

/* The index of the first hole in the table at `index` (positive), of length n, or 0. Checks every
 * event. Does not raise; out of memory counts as no hole. */
size_t shl_hole_find(struct shl_context *ctx, lua_State *L, int index, size_t n);

#endif

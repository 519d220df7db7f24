/* SPDX-License-Identifier: MIT
 *
 * Holes in lists of events: nil where an event should be. Lua may take any hole as the end of
 * such a table, so events after a hole may be lost, or nil may be among the events. */
#ifndef SHL_HOLE_H
#define SHL_HOLE_H

#include "state/lua_stage.h"

/* This many lists of a stage, the first ones, and one in this many later ones are checked event by
 * event. A power of two. */
enum { SHL_HOLE_LOOKED_AT = 64 };

/* shl_hole_is_unseen without its quick answer. */
bool shl_hole_is_unseen_in(struct shl_stage *s, lua_State *L, size_t n, bool is_looked_at);

/* Whether no hole shows in the table on top of L, of length n > 0, that a ready callback of `s`
 * returned. Costs nothing for a list that has as many events as were asked for or given
 * (s->expected); in any other list it finds events beyond the length. It checks every event in
 * the first lists of a stage, and now and then in later ones. */
static inline bool shl_hole_is_unseen(struct shl_stage *s, lua_State *L, size_t n)
{
    uint32_t i = s->n_lists++;
    bool is_looked_at = i < SHL_HOLE_LOOKED_AT || (i & (SHL_HOLE_LOOKED_AT - 1)) == 0;
    return (!is_looked_at && (int64_t)n == s->expected) ||
           shl_hole_is_unseen_in(s, L, n, is_looked_at);
}

/* The index of the first hole in the table at `index` (positive), of length n, or 0. Checks every
 * event. Does not raise; out of memory counts as no hole. */
size_t shl_hole_find(struct shl_context *ctx, lua_State *L, int index, size_t n);

#endif

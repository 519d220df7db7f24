/* SPDX-License-Identifier: MIT
 *
 * One buffer of integers. Its output is written in words: "1 2 3 !7" are three events
 * and a marker behind them. */
#ifndef SPEC_BUFFER_RIG_H
#define SPEC_BUFFER_RIG_H

#include "events/buffer.h"

extern struct sh__buffer buffer;
extern char words[65536];

void start(int64_t size, sh_keep keep);
void stop(void);
/* Stores first .. first + n - 1; writes the markers that this sets free; returns the
 * discarded. */
int64_t store(int64_t first, uint32_t n);
/* Returns the result of sh__buffer_mark; frees the marker if it is not taken. */
int mark(int64_t id);
/* Takes once; returns `words`. */
const char *take_once(int64_t n);
/* Writes the markers and frees them. */
void write_markers(struct sh__markers *released);

#endif

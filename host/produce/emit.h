/* SPDX-License-Identifier: MIT
 *
 * Events on their way out: from a callback to the dispatcher, and what it does not take to the
 * buffer. All functions are for the stage's worker, and for stages that produce. */
#ifndef SH_EMIT_H
#define SH_EMIT_H

#include "stage/stage.h"
#include "stagehost/dispatcher.h"

/* Emits events from a callback; takes `batch`. While the stage accumulates they are kept behind
 * what it has accumulated. */
void sh__emit(sh_stage *stage, sh_batch batch);
/* Emits events that had been accumulated, when it is their turn; takes `batch`. */
void sh__emit_accumulated(sh_stage *stage, sh_batch batch);
/* Emits accumulated events that came from the buffer; takes `batch`. They answer no demand any
 * more, and what nobody takes goes back to the head of the buffer. */
void sh__emit_buffered(sh_stage *stage, sh_batch batch, uint32_t delivery);
/* Puts events that came back before all others; takes them. SH_ENOMEM: nothing was taken. */
int sh__return_to_buffer(sh_stage *stage, const sh_returned *parts, uint32_t n);
/* Drops the whole buffer, and what the dispatcher holds: nobody is there to want it. */
void sh__discard_buffer(sh_stage *stage);
/* Events it holds that nobody has got; `which` selects the dispatcher's share. */
int64_t sh__producer_held(const sh_stage *stage, sh_held which);

/* Puts an in-band message in its place among the events; takes it. NULL is allowed. */
void sh__mark(sh_stage *stage, sh_marker *marker);
/* Puts one that had been accumulated in its place; takes it. `is_older`: all events before it
 * have been sent. */
void sh__mark_accumulated(sh_stage *stage, sh_marker *marker, bool is_older);

/* Sends what is buffered as far as credit goes; asks for what is missing. */
void sh__settle(sh_stage *stage);
/* Lets an asked demand of n be served: the buffer comes first, and the rest is asked of
 * handle_demand. */
void sh__serve(sh_stage *stage, int64_t n);

#endif

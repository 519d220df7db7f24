/* SPDX-License-Identifier: MIT
 *
 * Events on their way out: from a callback to the dispatcher, or to the buffer if that does not
 * take them. All functions are for the stage's worker, and for stages that produce. */
#ifndef SH_EMIT_H
#define SH_EMIT_H

#include "stage/stage.h"
#include "stagehost/dispatcher.h"

/* Emits events from a callback; takes `batch`. While the stage accumulates, they are kept after
 * all accumulated items. */
void sh__emit(sh_stage *stage, sh_batch batch);
/* Like sh__emit, for events that answer no demand: what a combiner made of events that have
 * answered it. */
void sh__emit_combined(sh_stage *stage, sh_batch batch);
/* Emits events that had been accumulated, when it is their turn; takes `batch`. */
void sh__emit_accumulated(sh_stage *stage, sh_batch batch);
/* Emits accumulated events that came from the buffer; takes `batch`. They do not answer demand
 * again, and events not taken go back to the head of the buffer. */
void sh__emit_buffered(sh_stage *stage, sh_batch batch, uint32_t delivery);
/* Puts events that came back before all others; takes them. SH_ENOMEM: nothing was taken. */
int sh__return_to_buffer(sh_stage *stage, const sh_returned *parts, uint32_t n);
/* Drops the buffer, and the events in the dispatcher, as the stage has no consumers. */
void sh__discard_buffer(sh_stage *stage);
/* The number of events the stage still holds; `which` selects the dispatcher's share. */
int64_t sh__producer_held(const sh_stage *stage, sh_held which);

/* Puts an in-band message in its place among the events; takes it. NULL is allowed. Events that a
 * combiner holds are not among them: sh__combine_mark. */
void sh__mark(sh_stage *stage, sh_marker *marker);
/* Puts an accumulated marker in its place; takes it. `is_older`: all events before it have been
 * sent. */
void sh__mark_accumulated(sh_stage *stage, sh_marker *marker, bool is_older);

/* Sends buffered events as far as there is credit; asks for missing ones. */
void sh__settle(sh_stage *stage);
/* Lets an asked demand of n be served: the buffer comes first, and the rest is asked of
 * handle_demand. */
void sh__serve(sh_stage *stage, int64_t n);

#endif

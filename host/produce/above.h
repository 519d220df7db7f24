/* SPDX-License-Identifier: MIT
 *
 * The calls that go up from this room; stage/above.h has the rule. All functions are for the
 * stage's worker. */
#ifndef SH_PRODUCE_ABOVE_H
#define SH_PRODUCE_ABOVE_H

#include "stage/stage.h"

/* -- consume/consumer.c ---------------------------------------------------------------- */

/* Offers events to an idle consumer, without a message. Takes `batch` and returns true if the
 * consumer can begin with them at once. */
bool sh__consumer_offer(sh_stage *stage, sh_subscription *sub, sh_batch batch);

/* -- consume/recovery.c ---------------------------------------------------------------- */

/* Counts n events that came back unacknowledged. */
void sh__recovery_count_returned(sh_stage *stage, uint64_t n);

/* -- consume/dead_letter.c ------------------------------------------------------------- */

/* Whether the stage has a dead-letter stage. */
bool sh__dead_letter_is_given(const sh_stage *stage);
/* Sends events (borrowed) as letters, or counts them as unfinished. `failed`: the name of the stage
 * that could not handle them. */
void sh__dead_letter(sh_stage *stage, sh_batch events, const sh_error *error,
                     const char *failed, uint32_t deliveries);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Dead letters: events that could not be handled, on their way to a stage that looks after them. */
#ifndef SH_DEAD_LETTER_H
#define SH_DEAD_LETTER_H

#include "stagehost/stage.h"

/* Called when the stage has started: its dead-letter stage, if alive, stays until it has ended. */
void sh__dead_letter_open(sh_stage *stage);
/* Called when the stage has ended: its dead-letter stage need not wait for it any more. */
void sh__dead_letter_close(sh_stage *stage);
/* Counts n letters that the dead-letter stage `to` did not take before its end, or failed with. */
void sh__dead_letter_refused(sh_stage *to, uint64_t n);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Dead letters: events that nobody could handle, on their way to a stage that looks after them. */
#ifndef SH_DEAD_LETTER_H
#define SH_DEAD_LETTER_H

#include "stagehost/stage.h"

/* The stage has started: its dead-letter stage, if it is there, stays until it has ended. */
void sh__dead_letter_open(sh_stage *stage);
/* The stage has ended: its dead-letter stage need not wait for it any more. */
void sh__dead_letter_close(sh_stage *stage);
/* The dead-letter stage `to` has ended before it took n letters, or failed with them. */
void sh__dead_letter_refused(sh_stage *to, uint64_t n);

#endif

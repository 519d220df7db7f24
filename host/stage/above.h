/* SPDX-License-Identifier: MIT
 *
 * The calls that go up from this room. A file includes headers of its own room and of those below
 * it only; a function that is called from below the room of its body is declared here, in the
 * lowest room that calls it, and nowhere else. The body's file includes this header too. `.ci/run
 * circles` checks that every function listed is called, and limits the list: add to it only calls
 * that can't be turned round. All functions are for the stage's worker, unless noted otherwise. */
#ifndef SH_STAGE_ABOVE_H
#define SH_STAGE_ABOVE_H

#include "stage/stage.h"

/* -- produce/producer.c ---------------------------------------------------------------- */

/* Asks handle_demand again after a polling interval. False: nothing is owed any more, and the timer
 * should stop. From a timer. */
bool sh__producer_poll(sh_stage *stage);

/* -- produce/paced.c ------------------------------------------------------------------- */

/* Puts sh__paced_resume on the agenda when the rate may allow more events. From a timer. */
void sh__paced_wake(sh_stage *stage);

/* -- consume/limits.c ------------------------------------------------------------------ */

/* Handles STEER on the consumer; takes the message. */
void sh__limits_steer(sh_stage *stage, struct sh__message *message);

/* -- consume/batching.c ---------------------------------------------------------------- */

/* Called when a timer of the stage's limits has fired. */
void sh__limits_wake(sh_stage *stage, uint64_t timer);

/* -- consume/recovery.c ---------------------------------------------------------------- */

/* Called when the delay before the next try is over. From a timer. */
void sh__recovery_due(sh_stage *stage);
/* Frees the struct, with its stage; NULL is allowed. Any thread. */
void sh__recovery_free(struct sh__recovery *recovery);

/* -- consume/redirect.c ---------------------------------------------------------------- */

/* Frees a redirection with its targets; NULL is allowed. */
void sh__redirect_free(struct sh__redirect *redirect);

/* -- life/callback_message.c ----------------------------------------------------------- */

/* Runs the callback for CALL, CAST, INFO, NOTIFICATION, EXIT or GONE; takes the message. */
void sh__callback_message(sh_stage *stage, enum sh__callback callback,
                          struct sh__message *message);

/* -- life/refuse.c --------------------------------------------------------------------- */

/* Refuses a message whose stage has ended: answers the stage that waits for it, tells a subscriber,
 * counts lost events against message->to. Takes it. On the worker that holds the message. */
void sh__message_refuse(sh_worker *worker, struct sh__message *message);

#endif

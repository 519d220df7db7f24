/* SPDX-License-Identifier: MIT
 *
 * The calls that go up from this room. A file includes headers of its own room and of those below
 * it only; a function that is called from below the room of its body is declared here, in the
 * lowest room that calls it, and nowhere else. The body's file includes this header too. `.ci/run
 * circles` holds the list to what is called, and limits its length: add to it only what can't be
 * turned round. All functions are for the stage's worker, unless they say otherwise. */
#ifndef SH_STAGE_ABOVE_H
#define SH_STAGE_ABOVE_H

#include "stage/stage.h"

/* -- produce/producer.c ---------------------------------------------------------------- */

/* The polling interval is over: asks handle_demand again. False: nothing is owed any more, and
 * the timer is to stop. From a timer. */
bool sh__producer_poll(sh_stage *stage);

/* -- produce/paced.c ------------------------------------------------------------------- */

/* A producer's rate may allow more now: leaves sh__paced_resume on the agenda. From a timer. */
void sh__paced_wake(sh_stage *stage);

/* -- consume/limits.c ------------------------------------------------------------------ */

/* STEER has arrived at the consumer; takes the message. */
void sh__limits_steer(sh_stage *stage, struct sh__message *message);

/* -- consume/batching.c ---------------------------------------------------------------- */

/* A timer of the stage's limits has fired. */
void sh__limits_wake(sh_stage *stage, uint64_t timer);

/* -- consume/recovery.c ---------------------------------------------------------------- */

/* The delay before the next try is over. From a timer. */
void sh__recovery_due(sh_stage *stage);
/* The stage is freed; NULL is allowed. Any thread. */
void sh__recovery_free(struct sh__recovery *recovery);

/* -- consume/redirect.c ---------------------------------------------------------------- */

/* Frees the targets with it; NULL is allowed. */
void sh__redirect_free(struct sh__redirect *redirect);

/* -- life/callback_message.c ----------------------------------------------------------- */

/* Runs the callback for CALL, CAST, INFO, NOTIFICATION, EXIT or GONE; takes the message. */
void sh__callback_message(sh_stage *stage, enum sh__callback callback,
                          struct sh__message *message);

/* -- life/refuse.c --------------------------------------------------------------------- */

/* Nobody will handle this message (its stage has ended): answers whoever waits for it, tells a
 * subscriber, counts lost events against message->to. Takes it. On the worker that holds it. */
void sh__message_refuse(sh_worker *worker, struct sh__message *message);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The calls that go up from this room; stage/above.h has the rule. Beside them consume/ uses one
 * public function of life/send.c, sh_subscription_cancel. All functions are for the stage's
 * worker, unless they say otherwise. */
#ifndef SH_CONSUME_ABOVE_H
#define SH_CONSUME_ABOVE_H

#include "stage/stage.h"

/* -- life/callback.c ------------------------------------------------------------------- */

/* Runs handle_events with `batch` (taken), a part of the message being fed. `ask`: how many events
 * to ask for when it has returned. */
void sh__callback_events(sh_stage *stage, sh_batch batch, int64_t ask);

/* -- life/subscribe_opts.c ------------------------------------------------------------- */

/* Fills in the defaults, those of the consumer and then those of the host, and checks all bounds.
 * SH_EBADOPT with *error. */
int sh__subscribe_opts_complete(sh_subscribe_opts *opts,
                                const sh_subscribe_defaults *defaults, const sh_host *host,
                                sh_error **error);

/* -- life/end.c ------------------------------------------------------------------------ */

enum sh__end {
    SH__END_NOW,
    SH__END_GRACEFULLY, /* after its consumers have taken the events it holds */
};

/* Ends the stage with `reason` (taken; NULL: normal). */
void sh__stage_end(sh_stage *stage, sh_error *reason, enum sh__end how);
/* Called when no more input will come: calls handle_end, if the stage has it and the last
 * subscription did not end abnormally; then the stage ends gracefully with `reason` (taken; normal
 * or shutdown). */
void sh__stage_end_input(sh_stage *stage, sh_error *reason);
/* While the host drains: ends the stage if nothing feeds it any more. A consumer may still be
 * asked for its results: it ends when a stage waits for its end, or no process is left. */
void sh__stage_end_drained(sh_stage *stage);

/* -- work/drain.c ---------------------------------------------------------------------- */

/* Marks a stage that may get dead letters: a drain ends it after its writers, and does not wait
 * for it until then. Any thread. */
void sh__host_exempt(sh_host *host, sh_stage *stage);

#endif

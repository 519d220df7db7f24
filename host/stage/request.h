/* SPDX-License-Identifier: MIT
 *
 * Answers: to calls, to stages that wait for a stage's end, to requests. */
#ifndef SH_REQUEST_H
#define SH_REQUEST_H

#include "stagehost/subscription.h"

/* Answers `from`, which is borrowed; does nothing if it has no stage. Takes `value`, borrows
 * `error`. A value that can't cross to the asker's worker becomes SH_EFAILED with the reason. */
void sh__reply(sh_worker *worker, sh_from from, int status, sh_batch value,
               sh_error *error);
/* Answers SH_OK with an integer, with a subscription, with a stage (borrowed). */
void sh__reply_integer(sh_worker *worker, sh_from from, int64_t value);
void sh__reply_subscription(sh_worker *worker, sh_from from, sh_subscription *sub);
void sh__reply_stage(sh_worker *worker, sh_from from, sh_stage *stage);

/* The callee has taken a call and will answer it later: keeps `from`, with its reference, in the
 * worker's list of unanswered calls. Without memory the call is answered SH_ENOMEM. */
void sh__pending_call_add(sh_stage *callee, sh_from from);
/* The stage of the same worker that has taken a call of `caller` and not answered it yet, or
 * NULL. */
const sh_stage *sh__pending_callee(const sh_stage *caller);
/* Makes the end of the stage answer `from`; takes its reference. Without memory `from` is answered
 * SH_ENOMEM at once. */
void sh__monitor_add(sh_stage *stage, sh_from from);
/* Answers all unanswered calls of a stage that has ended, and the stages that wait for its end. */
void sh__answer_ended(sh_stage *stage);

#endif

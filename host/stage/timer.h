/* SPDX-License-Identifier: MIT
 *
 * Timers of a stage for the engine's own use, built on alarms. They end with the stage, and
 * are for its worker. *id, where there is one, is for sh_timer_cancel. */
#ifndef SH_TIMER_H
#define SH_TIMER_H

#include "stagehost/stage.h"

/* Ends the limit that sh_timer_limit set for `ref`: its answer has come. */
void sh__timer_answered(sh_stage *stage, uint64_t ref);
/* Calls sh__recovery_due, once. False: out of memory. */
bool sh__timer_retry(sh_stage *self, uint64_t after_ms);
/* Calls sh__producer_poll every every_ms, until that returns false. */
int sh__timer_poll(sh_stage *self, uint64_t every_ms, uint64_t *id);
/* Calls sh__limits_wake with *id, once. */
int sh__timer_for_limits(sh_stage *self, uint64_t after_ms, uint64_t *id);
/* Calls sh__paced_wake, once. */
int sh__timer_rate(sh_stage *self, uint64_t after_ms, uint64_t *id);
/* Puts SH__TASK_COMBINE on the agenda, once. */
int sh__timer_combine(sh_stage *self, uint64_t after_ms);
/* Stops all timers of the stage. */
void sh__timers_stop(sh_stage *stage);
/* Whether a callback of the stage waits for a timer only. */
bool sh__stage_is_sleeping(const sh_stage *stage);

#endif

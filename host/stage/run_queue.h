/* SPDX-License-Identifier: MIT
 *
 * The stages of a worker that have something to do. What the stage at work has given events goes
 * next, then that stage itself (`front`): so events are handled while the processor has them at
 * hand. What timers, I/O and other workers wake goes first in the next slice. The others wait in a
 * queue, which gets a turn at least every 64 turns and every second slice. All functions are for
 * the worker's thread. */
#ifndef SH_RUN_QUEUE_H
#define SH_RUN_QUEUE_H

#include "stage/worker_state.h"

/* Puts a stage that has something to do into the queue; harmless when it is there. */
void sh__worker_schedule(sh_worker *worker, sh_stage *stage);
/* Schedules a stage that the stage at work has given events. */
void sh__worker_schedule_fed(sh_worker *worker, sh_stage *stage);
/* Whether any stage has something to do. */
static inline bool sh__worker_has_work(const sh_worker *worker)
{
    return worker->front || worker->run_length > 0 || worker->fed_head;
}

/* Takes out the stage whose turn it is; there is one. */
sh_stage *sh__worker_take_next(sh_worker *worker);
/* After a turn of `giver` (NULL: before the first one of a slice) that gave others something to do:
 * they go first, then the giver itself if it has more to do. */
void sh__worker_put_in_front(sh_worker *worker, sh_stage *giver, bool has_more);
/* The slice is over: what stands in front gets in line, so that what comes meanwhile is not behind
 * it. */
void sh__worker_get_in_line(sh_worker *worker);
/* Forgets all stages that have something to do; each still has is_queued. */
void sh__worker_clear_queue(sh_worker *worker);

#endif

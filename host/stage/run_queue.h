/* SPDX-License-Identifier: MIT
 *
 * The stages of a worker that have something to do. Stages that were fed by the running stage go
 * next, then that stage itself (`front`), so that events are handled while they are in the
 * processor's cache. Stages woken by timers, I/O and other workers go first in the next slice. The
 * others wait in a queue, which gets a turn at least every 64 turns and every second slice. All
 * functions are for the worker's thread. */
#ifndef SH_RUN_QUEUE_H
#define SH_RUN_QUEUE_H

#include "stage/worker_state.h"

/* Puts a stage that has something to do into the queue, unless it is there. */
void sh__worker_schedule(sh_worker *worker, sh_stage *stage);
/* Schedules a stage that the running stage has given events. */
void sh__worker_schedule_fed(sh_worker *worker, sh_stage *stage);
/* Whether any stage has something to do. */
static inline bool sh__worker_has_work(const sh_worker *worker)
{
    return worker->front || worker->run_length > 0 || worker->fed_head;
}

/* Takes out the stage whose turn it is; there must be one. */
sh_stage *sh__worker_take_next(sh_worker *worker);
/* Called after a turn of `giver` (NULL: before the first one of a slice) that fed other stages: the
 * fed stages go first, then the giver itself if it has more to do. */
void sh__worker_put_in_front(sh_worker *worker, sh_stage *giver, bool has_more);
/* Moves the stages in front into the queue at the end of a slice, so that stages woken meanwhile
 * need not wait for them. */
void sh__worker_get_in_line(sh_worker *worker);
/* Forgets all stages that have something to do; each still has is_queued. */
void sh__worker_clear_queue(sh_worker *worker);

#endif

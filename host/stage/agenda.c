/* SPDX-License-Identifier: MIT
 *
 * The agenda of a stage, by which other code gives it something to do, and its phases. */
#include "stage/agenda.h"

#include <assert.h>
#include <string.h>

#include "stage/deliver.h"
#include "stage/run_queue.h"

/* -- phases ---------------------------------------------------------------------------- */

/* Which phase may follow which; printed in host/README.md. */
static const uint8_t followers[] = {
    [SH__PHASE_NEW] = 1 << SH__PHASE_STARTING | 1 << SH__PHASE_ENDED,
    [SH__PHASE_STARTING] =
        1 << SH__PHASE_RUNNING | 1 << SH__PHASE_ENDING | 1 << SH__PHASE_ENDED,
    [SH__PHASE_RUNNING] =
        1 << SH__PHASE_LEAVING | 1 << SH__PHASE_ENDING | 1 << SH__PHASE_ENDED,
    [SH__PHASE_LEAVING] = 1 << SH__PHASE_ENDING | 1 << SH__PHASE_ENDED,
    [SH__PHASE_ENDING] = 1 << SH__PHASE_ENDED,
    [SH__PHASE_ENDED] = 0,
};

static inline bool may_follow(enum sh__phase from, enum sh__phase to)
{
    return followers[from] >> to & 1;
}

void sh__stage_set_phase(sh_stage *stage, enum sh__phase phase)
{
    (void)may_follow; /* unused when asserts are off */
    assert(may_follow(stage->phase, phase));
    stage->phase = (uint8_t)phase;
    stage->is_not_running = phase != SH__PHASE_RUNNING;
}

/* -- tasks ----------------------------------------------------------------------------- */

void sh__task_free(struct sh__task *task)
{
    sh_subscription_unref(task->sub);
    sh_error_unref(task->error);
    if (task->subscribe)
        sh__subscribe_free(task->subscribe);
    sh_stage_unref(task->from.stage);
}

static bool has_room_for_task(sh_stage *stage)
{
    if (sh__likely(stage->n_tasks < stage->task_capacity))
        return true;
    uint16_t capacity = stage->task_capacity ? (uint16_t)(stage->task_capacity * 2) : 4;
    struct sh__task *tasks = sh_realloc(stage->tasks, capacity * sizeof *tasks);
    if (!tasks) {
        sh__stage_kill_oom(stage);
        return false;
    }
    stage->tasks = tasks;
    stage->task_capacity = capacity;
    return true;
}

static void schedule_tasks(sh_stage *stage)
{
    if (!stage->is_waiting && !stage->in_callback)
        sh__worker_schedule(stage->worker, stage);
}

void sh__stage_push_task(sh_stage *stage, struct sh__task task)
{
    if (!has_room_for_task(stage)) {
        sh__task_free(&task);
        return;
    }
    stage->tasks[stage->n_tasks++] = task;
    schedule_tasks(stage);
}

void sh__stage_push_demand(sh_stage *stage, int64_t n)
{
    if (!has_room_for_task(stage))
        return;
    struct sh__task *task = &stage->tasks[stage->n_tasks++];
    task->kind = SH__TASK_DEMAND; /* field by field: cheaper than a copy */
    task->n = n;
    task->sub = NULL;
    task->error = NULL;
    task->subscribe = NULL;
    task->from.stage = NULL;
    schedule_tasks(stage);
}

void sh__stage_push_task_last(sh_stage *stage, struct sh__task task)
{
    uint16_t before = stage->n_tasks;
    sh__stage_push_task(stage, task);
    if (stage->n_tasks == before)
        return;
    memmove(stage->tasks + 1, stage->tasks, before * sizeof task);
    stage->tasks[0] = task;
}

bool sh__stage_is_failing(const sh_stage *stage)
{
    for (uint16_t i = 0; i < stage->n_tasks; i++)
        if (stage->tasks[i].kind == SH__TASK_STOP)
            return true;
    return false;
}

void sh__stage_fail(sh_stage *stage, sh_error *error)
{
    if (stage->phase == SH__PHASE_ENDED) {
        sh_error_unref(error);
        return;
    }
    sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_STOP, .error = error});
}

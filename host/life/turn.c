/* SPDX-License-Identifier: MIT
 *
 * The turn of a stage: the choice of its next step. */
#include "life/turn.h"

#include "consume/above.h"
#include "consume/consumer.h"
#include "consume/producer_consumer.h"
#include "consume/recovery.h"
#include "life/callback.h"
#include "life/end.h"
#include "life/receive.h"
#include "life/start.h"
#include "produce/combine.h"
#include "produce/emit.h"
#include "produce/paced.h"
#include "produce/producer.h"
#include "stage/activity.h"
#include "stage/agenda.h"
#include "stage/host_state.h"
#include "stage/timer.h"

enum { TURN_STEPS = 32 };

/* -- the agenda ------------------------------------------------------------------------ */

/* Makes the subscriptions given at start, one task each; they are done before any message is
 * taken. */
static void task_subscribe_to(sh_stage *stage, size_t i)
{
    if (i + 1 < stage->n_subscribe_to)
        sh__stage_push_task(
            stage, (struct sh__task){.kind = SH__TASK_SUBSCRIBE_TO, .n = (int64_t)i + 1});
    struct sh__subscribe *subscribe = stage->subscribe_to[i];
    stage->subscribe_to[i] = NULL;
    sh__consumer_subscribe(stage, subscribe, (sh_from){0});
}

static void run_task(sh_stage *stage)
{
    struct sh__task *top = &stage->tasks[--stage->n_tasks];
    if (top->kind == SH__TASK_DEMAND) { /* the frequent task: without a copy */
        if (stage->phase == SH__PHASE_RUNNING && !stage->is_draining)
            sh__callback_demand(stage, top->n);
        return;
    }
    struct sh__task task = *top;
    switch (task.kind) {
    case SH__TASK_DEMAND:
        return; /* handled above */
    case SH__TASK_SETTLE:
        sh__settle(stage);
        return;
    case SH__TASK_SUBSCRIBE_IN:
        sh__callback_task(stage, SH__CALLBACK_SUBSCRIBE_IN, &task);
        return;
    case SH__TASK_SUBSCRIBE_OUT:
        sh__callback_task(stage, SH__CALLBACK_SUBSCRIBE_OUT, &task);
        return;
    case SH__TASK_CANCEL_IN:
        sh__callback_task(stage, SH__CALLBACK_CANCEL_IN, &task);
        return;
    case SH__TASK_CANCEL_OUT:
        sh__callback_task(stage, SH__CALLBACK_CANCEL_OUT, &task);
        return;
    case SH__TASK_PACE:
        sh__paced_resume(stage);
        return;
    case SH__TASK_REPLAY:
        sh__producer_replay(stage);
        return;
    case SH__TASK_COMBINE:
        sh__combine_due(stage);
        return;
    case SH__TASK_SUBSCRIBE_TO:
        task_subscribe_to(stage, (size_t)task.n);
        return;
    case SH__TASK_STARTED:
        sh__stage_started(stage);
        return;
    case SH__TASK_END:
        sh__callback_task(stage, SH__CALLBACK_END, &task);
        return;
    case SH__TASK_STOP:
        sh__stage_end(stage, task.error, SH__END_NOW);
        return;
    }
}

static void take_answer(sh_stage *stage)
{
    struct sh__message *message = sh__mailbox_pop(&stage->answers);
    stage->has_answers = stage->answers.head != NULL;
    if (message->reply.status != SH_ETIMEDOUT)
        sh__timer_answered(stage, message->reply.ref);
    if (stage->ops->handle_reply && stage->phase != SH__PHASE_NEW) {
        sh_batch value = message->batch;
        message->batch = (sh_batch){0};
        sh__activity_begin(stage->worker, stage,
                           stage->is_waiting ? sh__callback_name(stage->now.callback)
                                             : "handle_reply");
        stage->ops->handle_reply(stage, stage->state, message->reply.ref,
                                 message->reply.status, value, message->error);
        sh__activity_end(stage->worker);
    }
    sh__message_free(stage->worker, message);
}

/* -- the turn -------------------------------------------------------------------------- */

/* A process that only sleeps has nothing left to wait for when the pipeline has drained. */
static bool is_idle_at_shutdown(const sh_stage *stage)
{
    return stage->kind == SH_PROCESS && atomic_load(&stage->writers) == 0 &&
           atomic_load(&stage->worker->host->shutting_down) && sh__stage_is_sleeping(stage);
}

enum next { GO_ON, DONE, STOP };

/* Handles the cases out of the usual course: returns whether to go on with that, a step was done,
 * or there is nothing to do. */
static enum next special_step(sh_stage *stage)
{
    if (stage->phase == SH__PHASE_ENDED)
        return STOP;
    if (stage->is_killed) {
        sh_error_unref(stage->end_reason);
        stage->end_reason = sh_error_fmt(SH_REASON_KILLED, 0, NULL, "killed");
        sh__stage_finish(stage);
        return STOP;
    }
    if (stage->has_exit) {
        sh__stage_end_by_signal(stage);
        return DONE;
    }
    if (stage->has_answers) {
        take_answer(stage);
        return DONE;
    }
    if (stage->is_waiting) {
        if (sh__recovery_take_due(stage)) {
            sh__callback_events_again(stage);
            return DONE;
        }
        if (is_idle_at_shutdown(stage))
            sh__stage_end_sleeping(stage);
        return STOP;
    }
    return stage->phase >= SH__PHASE_ENDING ? STOP : GO_ON;
}

/* Like special_step, before a stage takes a message. */
static enum next special_message(sh_stage *stage)
{
    if (stage->phase == SH__PHASE_LEAVING) {
        sh__stage_check_leaving(stage);
        if (stage->phase != SH__PHASE_LEAVING)
            return DONE;
    }
    return stage->is_held ? STOP : GO_ON;
}

/* Does one step. Returns false when there is nothing to do now. */
static bool step(sh_stage *stage)
{
    if (sh__unlikely(stage->special)) {
        enum next next = special_step(stage);
        if (next != GO_ON)
            return next == DONE;
    }
    if (stage->n_tasks > 0) {
        run_task(stage);
        return true;
    }
    if (stage->feed.sub) {
        sh__consumer_next(stage);
        return true;
    }
    if (stage->input.head && sh__pump(stage))
        return true;
    if (sh__unlikely(stage->special)) {
        enum next next = special_message(stage);
        if (next != GO_ON)
            return next == DONE;
    }
    struct sh__message *message = sh__mailbox_pop(&stage->mailbox);
    if (!message)
        return false;
    sh__stage_receive(stage, message);
    return true;
}

static inline bool has_more(const sh_stage *stage)
{
    return stage->special || stage->n_tasks > 0 || stage->feed.sub || stage->input.head ||
           stage->mailbox.head;
}

bool sh__stage_turn(sh_stage *stage)
{
    for (unsigned i = 0; i < TURN_STEPS; i++) {
        if (!step(stage) || !has_more(stage))
            return false;
        if (stage->worker->fed_head || sh__worker_slice_is_over(stage->worker))
            return true; /* fed stages go first, and so does the loop */
    }
    return true;
}

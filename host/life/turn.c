/* SPDX-License-Identifier: MIT
 *
 * The turn of a stage: what it does next, and its agenda. */
#include "stage/stage.h"

#include <assert.h>
#include <string.h>

#include "consume/recovery.h"
#include "produce/paced.h"
#include "stage/links.h"
#include "work/host.h"

enum { TURN_STEPS = 32 };

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

/* -- messages come in ------------------------------------------------------------------ */

/* Takes what is not for the mailbox; false: the message is for it. */
static bool handle_on_arrival(sh_stage *stage, struct sh__message *message)
{
    if (sh__message_is_signal(message)) {
        sh__links_deliver(stage, message);
        return true;
    }
    if (message->kind == SH__STEER) {
        sh__flow_steer(stage, message);
    } else if (message->kind == SH__KILL) {
        stage->is_killed = true;
        sh__message_free(stage->worker, message);
    } else if (!stage->tap) {
        sh__mailbox_push(&stage->answers, message);
        stage->has_answers = true;
    } else {
        return false;
    }
    if (!stage->is_absent)
        sh__worker_schedule(stage->worker, stage);
    return true;
}

/* START comes before whatever has overtaken it: messages of a third worker, which found the
 * stage by its name. */
static void begin_life(sh_stage *stage, struct sh__message *message)
{
    sh__link_append(&stage->worker->stages, &stage->link);
    stage->is_absent = false;
    sh__mailbox_push_first(&stage->mailbox, message);
}

void sh__stage_deliver(sh_stage *stage, struct sh__message *message)
{
    sh_worker *worker = stage->worker;
    if (stage->phase == SH__PHASE_ENDED) {
        sh__message_refuse(worker, message);
        return;
    }
    if (message->kind >= SH__KILL && handle_on_arrival(stage, message))
        return;
    stage->stats.messages_in++;
    if (sh__unlikely(message->kind == SH__START))
        begin_life(stage, message);
    else
        sh__mailbox_push(&stage->mailbox, message);
    if (!stage->is_waiting && !stage->is_held && !stage->is_absent)
        sh__worker_schedule(worker, stage);
}

/* -- agenda ---------------------------------------------------------------------------- */

static bool has_room_for_task(sh_stage *stage)
{
    if (sh__likely(stage->n_tasks < stage->task_capacity))
        return true;
    uint16_t capacity = stage->task_capacity ? (uint16_t)(stage->task_capacity * 2) : 4;
    struct sh__task *tasks = sh_realloc(stage->tasks, capacity * sizeof *tasks);
    if (!tasks) {
        stage->is_killed = true; /* it can't keep its promises any more */
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
    task->kind = SH__TASK_DEMAND; /* field by field: not worth a copy */
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

void sh__task_free(struct sh__task *task)
{
    sh_subscription_unref(task->sub);
    sh_error_unref(task->error);
    if (task->subscribe)
        sh__subscribe_free(task->subscribe);
    sh_stage_unref(task->from.stage);
}

void sh__stage_started(sh_stage *stage)
{
    if (stage->phase == SH__PHASE_STARTING)
        sh__stage_set_phase(stage, SH__PHASE_RUNNING);
    if (stage->recovery)
        sh__dead_letter_open(stage);
    sh__reply(stage->worker, stage->start_from, SH_OK, (sh_batch){0}, NULL);
    sh_stage_unref(stage->start_from.stage);
    stage->start_from = (sh_from){0};
}

/* The subscriptions given at start, one task each; they are done before any message is
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
    if (top->kind == SH__TASK_DEMAND) { /* the frequent one: not worth a copy */
        if (stage->phase == SH__PHASE_RUNNING && !stage->is_draining)
            sh__callback_demand(stage, top->n);
        return;
    }
    struct sh__task task = *top;
    switch (task.kind) {
    case SH__TASK_DEMAND:
        return; /* above */
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
    case SH__TASK_SUBSCRIBE_TO:
        task_subscribe_to(stage, (size_t)task.n);
        return;
    case SH__TASK_STARTED:
        sh__stage_started(stage);
        return;
    case SH__TASK_STOP:
        sh__stage_end(stage, task.error, false);
        return;
    }
}

static void take_answer(sh_stage *stage)
{
    struct sh__message *message = sh__mailbox_pop(&stage->answers);
    stage->has_answers = stage->answers.head != NULL;
    if (message->status != SH_ETIMEDOUT)
        sh__timer_answered(stage, (uint64_t)message->n);
    if (stage->ops->handle_reply && stage->phase != SH__PHASE_NEW) {
        sh_batch value = message->batch;
        message->batch = (sh_batch){0};
        stage->ops->handle_reply(stage, stage->state, (uint64_t)message->n, message->status,
                                 value, message->error);
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

/* What is out of the usual course: whether to go on with it, a step was done, or there is
 * nothing to do. */
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

/* Before a stage takes a message out of its usual course. */
static enum next special_message(sh_stage *stage)
{
    if (stage->phase == SH__PHASE_LEAVING) {
        sh__stage_check_leaving(stage);
        if (stage->phase != SH__PHASE_LEAVING)
            return DONE;
    }
    return stage->is_held ? STOP : GO_ON;
}

/* One step. Returns false when there is nothing to do now. */
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
        if (stage->worker->fed_head) /* who has got events goes first */
            return true;
    }
    return true;
}

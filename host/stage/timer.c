/* SPDX-License-Identifier: MIT
 *
 * Timers of a stage, built on alarms. They end with the stage. */
#include "stage/timer.h"

#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/alarm.h"
#include "stage/deliver.h"
#include "stage/host_state.h"
#include "stage/request.h"

enum timer_kind {
    TIMER_MESSAGE,
    TIMER_KILL,
    TIMER_WAKE,
    TIMER_CALL,
    TIMER_POLL,
    TIMER_RETRY,
    TIMER_RATE,
    TIMER_LIMITS,
    TIMER_COMBINE
};

struct sh__timer {
    struct sh__alarm alarm;
    struct sh__timer *next, **link; /* in stage->timers */
    sh_stage *stage;                /* borrowed: the stage stops its timers first */
    enum timer_kind kind;
    bool repeats;
    uint64_t id, ref;
    sh_batch message;
    sh_stage *victim; /* of TIMER_KILL: a reference */
};

static struct sh__timer *timer_of(struct sh__alarm *alarm)
{
    return sh__container_of(alarm, struct sh__timer, alarm);
}

static void on_closed(struct sh__alarm *alarm)
{
    sh_free(timer_of(alarm));
}

static void timer_stop(struct sh__timer *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    sh_batch_unref(timer->message);
    timer->message = (sh_batch){0};
    sh_stage_unref(timer->victim);
    timer->victim = NULL;
    sh__alarm_close(&timer->alarm, on_closed);
}

static void send_message(struct sh__timer *timer, bool again)
{
    sh_stage *stage = timer->stage;
    struct sh__message *message = sh__message_new(stage->worker, SH__INFO, stage);
    if (!message) {
        sh__stage_kill_oom(stage);
        return;
    }
    message->batch = timer->message;
    if (again)
        timer->message = sh_batch_ref(timer->message);
    else
        timer->message = (sh_batch){0};
    sh__stage_deliver(stage, message);
}

static void kill_victim(const struct sh__timer *timer)
{
    sh_worker *worker = timer->stage->worker;
    struct sh__message *message = sh__message_new(worker, SH__KILL, timer->victim);
    if (message)
        sh__send(worker, message, NULL);
    else
        sh__stage_kill_oom(timer->stage);
}

static void on_alarm(struct sh__alarm *alarm)
{
    struct sh__timer *timer = timer_of(alarm);
    bool again = timer->repeats;
    switch (timer->kind) {
    case TIMER_MESSAGE:
        send_message(timer, again);
        break;
    case TIMER_KILL:
        kill_victim(timer);
        break;
    case TIMER_WAKE:
    case TIMER_CALL:
        sh__reply(timer->stage->worker, (sh_from){timer->stage, timer->ref}, SH_ETIMEDOUT,
                  (sh_batch){0}, NULL);
        break;
    case TIMER_RETRY:
        sh__recovery_due(timer->stage);
        break;
    case TIMER_POLL:
        if (!sh__producer_poll(timer->stage))
            timer_stop(timer);
        return;
    case TIMER_LIMITS:
        sh__limits_wake(timer->stage, timer->id);
        break;
    case TIMER_RATE:
        sh__paced_wake(timer->stage);
        break;
    case TIMER_COMBINE:
        sh__stage_push_task(timer->stage, (struct sh__task){.kind = SH__TASK_COMBINE});
        break;
    }
    if (!again)
        timer_stop(timer);
}

static int timer_start(sh_stage *stage, enum timer_kind kind, uint64_t after_ms,
                       uint64_t every_ms, struct sh__timer **out)
{
    struct sh__timer *timer =
        stage->phase == SH__PHASE_ENDED ? NULL : sh_malloc(sizeof *timer);
    if (!timer)
        return stage->phase == SH__PHASE_ENDED ? SH_ESTATE : SH_ENOMEM;
    sh_worker *worker = stage->worker;
    *timer = (struct sh__timer){.stage = stage,
                                .kind = kind,
                                .repeats = every_ms > 0,
                                .next = stage->timers,
                                .link = &stage->timers};
    timer->id = atomic_fetch_add(&worker->host->next_id, 1) + 1;
    if (timer->next)
        timer->next->link = &timer->next;
    stage->timers = timer;
    sh__alarm_open(&timer->alarm, worker, on_alarm);
    sh__alarm_start(&timer->alarm, after_ms, every_ms);
    *out = timer;
    return SH_OK;
}

int sh_timer_start(sh_stage *self, uint64_t after_ms, uint64_t every_ms, sh_batch message,
                   uint64_t *id)
{
    struct sh__timer *timer;
    int status = timer_start(self, TIMER_MESSAGE, after_ms, every_ms, &timer);
    if (status < 0) {
        sh_batch_unref(message);
        return status;
    }
    timer->message = message;
    *id = timer->id;
    return SH_OK;
}

int sh_timer_kill(sh_stage *self, uint64_t after_ms, sh_stage *victim, uint64_t *id)
{
    struct sh__timer *timer;
    int status = timer_start(self, TIMER_KILL, after_ms, 0, &timer);
    if (status < 0)
        return status;
    timer->victim = sh_stage_ref(victim);
    *id = timer->id;
    return SH_OK;
}

static int start_wake(sh_stage *self, enum timer_kind kind, uint64_t after_ms, uint64_t ref,
                      uint64_t *id)
{
    struct sh__timer *timer;
    int status = timer_start(self, kind, after_ms, 0, &timer);
    if (status < 0)
        return status;
    timer->ref = ref;
    if (id)
        *id = timer->id;
    return SH_OK;
}

int sh_timer_wake(sh_stage *self, uint64_t after_ms, uint64_t ref, uint64_t *id)
{
    return start_wake(self, TIMER_WAKE, after_ms, ref, id);
}

int sh_timer_limit(sh_stage *self, uint64_t timeout_ms, uint64_t ref)
{
    return start_wake(self, TIMER_CALL, timeout_ms, ref, NULL);
}

bool sh__timer_retry(sh_stage *self, uint64_t after_ms)
{
    return start_wake(self, TIMER_RETRY, after_ms, 0, NULL) == SH_OK;
}

void sh__timer_answered(sh_stage *stage, uint64_t ref)
{
    for (struct sh__timer *timer = stage->timers; timer; timer = timer->next)
        if (timer->kind == TIMER_CALL && timer->ref == ref) {
            timer_stop(timer);
            return;
        }
}

int sh_timer_cancel(sh_stage *self, uint64_t id)
{
    for (struct sh__timer *timer = self->timers; timer; timer = timer->next)
        if (timer->id == id) {
            timer_stop(timer);
            return SH_OK;
        }
    return SH_ENOPROC;
}

int sh__timer_poll(sh_stage *self, uint64_t every_ms, uint64_t *id)
{
    struct sh__timer *timer;
    int status = timer_start(self, TIMER_POLL, every_ms, every_ms, &timer);
    if (status == SH_OK)
        *id = timer->id;
    return status;
}

int sh__timer_for_limits(sh_stage *self, uint64_t after_ms, uint64_t *id)
{
    return start_wake(self, TIMER_LIMITS, after_ms, 0, id);
}

int sh__timer_rate(sh_stage *self, uint64_t after_ms, uint64_t *id)
{
    return start_wake(self, TIMER_RATE, after_ms, 0, id);
}

int sh__timer_combine(sh_stage *self, uint64_t after_ms)
{
    return start_wake(self, TIMER_COMBINE, after_ms, 0, NULL);
}

void sh__timers_stop(sh_stage *stage)
{
    while (stage->timers)
        timer_stop(stage->timers);
}

bool sh__stage_is_sleeping(const sh_stage *stage)
{
    for (const struct sh__timer *timer = stage->timers; timer; timer = timer->next)
        if (timer->kind == TIMER_WAKE)
            return true;
    return false;
}

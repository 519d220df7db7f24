/* SPDX-License-Identifier: MIT
 *
 * Callbacks: one at a time, and any may wait. Each is started by a sh__callback_* function,
 * which leaves the data for its end in stage->now; callback_done goes on from there, at once
 * or when sh_stage_complete is called. */
#include "life/callback.h"

#include <assert.h>
#include <string.h>

#include "consume/above.h"
#include "consume/consumer.h"
#include "consume/dead_letter.h"
#include "consume/failed.h"
#include "consume/recovery.h"
#include "consume/redirect.h"
#include "events/batch.h"
#include "life/above.h"
#include "life/end.h"
#include "life/start.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/producer.h"
#include "stage/activity.h"
#include "stage/agenda.h"
#include "stage/ledger.h"
#include "stage/log.h"
#include "stage/request.h"
#include "stage/run_queue.h"

static const char *const callback_names[] = {
#define XX(name, text) text,
    SH__CALLBACK_MAP(XX)
#undef XX
};

const char *sh__callback_name(enum sh__callback callback)
{
    return callback_names[callback];
}

void sh__callback_forget(sh_stage *stage)
{
    sh_batch_unref(stage->now.batch);
    if (stage->now.message)
        sh__message_free(stage->worker, stage->now.message);
    sh__task_free(&stage->now.task);
    sh_marker *marker;
    while ((marker = sh__markers_pop(&stage->now.told)))
        sh__marker_free(marker);
    memset(&stage->now, 0, sizeof stage->now);
}

/* -- results --------------------------------------------------------------------------- */

static void drop_result(sh_result *r)
{
    sh_batch_unref(r->events);
    sh_batch_unref(r->reply);
    sh_error_unref(r->reason);
}

/* Emits the events that a callback returned. */
static void emit(sh_stage *stage, sh_batch events)
{
    if (events.n == 0) {
        sh_batch_unref(events);
    } else if (stage->out) {
        sh__combine_emit(stage, events);
    } else {
        sh__log(
            stage->worker->host, SH_LOG_ERROR, SH_LOG_CONSUMER_CANNOT_DISPATCH, stage, NULL,
            "a stage that does not produce returned %u events from %s; they are dropped",
            events.n, callback_names[stage->now.callback]);
        sh_batch_unref(events);
    }
}

static void reply_to_call(sh_stage *stage, struct sh__message *message, sh_result *r)
{
    if (!message->from.stage) {
        sh_batch_unref(r->reply);
    } else if (r->has_reply) {
        sh__reply(stage->worker, message->from, SH_OK, r->reply, NULL);
    } else {
        sh_batch_unref(r->reply);
        sh__pending_call_add(stage, message->from);
        message->from = (sh_from){0};
    }
    r->reply = (sh_batch){0};
}

static void init_done(sh_stage *stage, sh_result *r)
{
    if (r->ignore) {
        r->stop = true;
        sh_error_unref(r->reason);
        r->reason =
            sh_error_fmt(SH_REASON_CUSTOM, SH_EIGNORED, "ignore", "init returned ignore");
        return;
    }
    if (r->stop) {
        /* A process may be done when it has begun, as a script is; any other stage has not
         * started. */
        if (!r->reason && stage->kind != SH_PROCESS)
            r->reason = sh_error_fmt(SH_REASON_CUSTOM, 0, "normal", "init returned stop");
        return;
    }
    if (stage->n_subscribe_to == 0 && stage->n_tasks == 0) {
        sh__stage_started(stage); /* directly: one of many idle stages needs no agenda */
        return;
    }
    sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_STARTED});
    if (stage->n_subscribe_to > 0)
        sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SUBSCRIBE_TO});
}

static const char manual_mode[] =
    "handle_subscribe of a producer returned \"manual\": only "
    "\"automatic\" is possible towards a consumer";
static const char redirect_mode[] =
    "handle_subscribe of a consumer returned a redirection: only "
    "producers can redirect";

static sh_error *bad_mode(const sh_stage *stage, const char *message)
{
    sh_error_fields fields = {.kind = SH_REASON_BAD_RETURN,
                              .stage = sh__stage_label(stage),
                              .callback = "handle_subscribe",
                              .message = message};
    return sh_error_new(&fields);
}

static void subscribed(sh_stage *stage, struct sh__task *task, sh_result *r)
{
    if (r->mode == SH_REDIRECT && !r->stop) {
        sh_batch_unref(r->reply);
        r->reply = (sh_batch){0};
        r->stop = true;
        r->reason = bad_mode(stage, redirect_mode);
    }
    if (r->stop) {
        sh__reply(stage->worker, task->from, SH_ENOPROC, (sh_batch){0}, r->reason);
        return;
    }
    sh__consumer_subscribed(stage, task->sub, r->mode);
    sh__reply_subscription(stage->worker, task->from, task->sub);
}

/* Does the work that follows the callback, besides its events. */
static void follow_up(sh_stage *stage, enum sh__callback callback, sh_result *r)
{
    struct sh__task *task = &stage->now.task;
    switch (callback) {
    case SH__CALLBACK_INIT:
        init_done(stage, r);
        return;
    case SH__CALLBACK_EVENTS:
        if (stage->now.ask > 0 && !r->stop)
            sh__consumer_ask(stage, stage->feed.sub, stage->now.ask);
        if (sh__unlikely(stage->feed.is_acked))
            sh__consumer_acknowledge(stage, stage->feed.sub);
        if (stage->feed.rest.n == 0)
            sh__consumer_drop_feed(stage);
        return;
    case SH__CALLBACK_SUBSCRIBE_IN:
        subscribed(stage, task, r);
        return;
    case SH__CALLBACK_SUBSCRIBE_OUT:
        if (r->mode == SH_MANUAL && !r->stop) {
            r->stop = true;
            r->reason = bad_mode(stage, manual_mode);
        }
        if (r->mode == SH_REDIRECT && !r->stop)
            sh__redirect_send(stage, task, r);
        else if (r->stop)
            sh__stage_turn_away(stage, task->sub, r->reason);
        else
            sh__producer_subscribed(stage, task);
        return;
    case SH__CALLBACK_CANCEL_IN:
        if (!r->stop)
            sh__consumer_cancelled(stage, task->sub->in.cancel, task->error);
        return;
    case SH__CALLBACK_END:
        if (!r->stop)
            sh__stage_end_told(stage, sh_error_ref(task->error));
        return;
    case SH__CALLBACK_CALL:
        reply_to_call(stage, stage->now.message, r);
        return;
    case SH__CALLBACK_NONE:
    case SH__CALLBACK_DEMAND:
    case SH__CALLBACK_CANCEL_OUT:
    case SH__CALLBACK_CAST:
    case SH__CALLBACK_INFO:
    case SH__CALLBACK_NOTIFICATION:
    case SH__CALLBACK_EXIT:
    case SH__CALLBACK_DOWN:
    case SH__CALLBACK_TERMINATE:
        return;
    }
}

static void callback_failed(sh_stage *stage, sh_result *r)
{
    enum sh__callback callback = stage->now.callback;
    sh_error *reason = r->reason;
    r->reason = NULL;
    if (!reason)
        reason = sh_error_fmt(SH_REASON_RAISED, SH_EFAILED, NULL, "%s failed",
                              callback_names[callback]);
    drop_result(r);
    if (callback == SH__CALLBACK_TERMINATE) {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_STAGE_ENDED, stage, reason,
                "terminate failed");
        stage->worker->stages_failed++;
        sh__host_record_failure(stage->worker->host, reason);
        sh_error_unref(reason);
        sh__stage_finish(stage);
        return;
    }
    if (callback == SH__CALLBACK_EVENTS && !stage->feed.is_acked)
        sh__worker_count_unfinished(stage->worker, stage, stage->now.batch.n,
                                    "handle_events");
    struct sh__message *message = stage->now.message;
    if (message && message->kind == SH__LETTERS)
        sh__dead_letter_refused(stage, (uint64_t)message->letters.n);
    if (message && callback == SH__CALLBACK_CALL && message->from.stage) {
        sh__reply(stage->worker, message->from, SH_EFAILED, (sh_batch){0}, reason);
        sh_stage_unref(message->from.stage);
        message->from = (sh_from){0};
    }
    if (callback == SH__CALLBACK_SUBSCRIBE_IN && stage->now.task.from.stage)
        sh__reply(stage->worker, stage->now.task.from, SH_EFAILED, (sh_batch){0}, reason);
    sh__callback_forget(stage);
    sh__stage_end(stage, reason, SH__END_NOW);
}

/* That the last events of the callback could not be handled goes before its own wish to end. */
static void end_by_choice(sh_stage *stage, sh_error *reason)
{
    if (sh__stage_is_failing(stage)) {
        sh_error_unref(reason);
        return;
    }
    stage->chose_to_stop = sh_error_is_clean(reason);
    stage->declines = reason == NULL;
    sh__stage_end(stage, reason, reason == NULL ? SH__END_GRACEFULLY : SH__END_NOW);
}

/* Sends notifications that a callback gave to its own consumers. */
static void tell(sh_stage *stage)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(&stage->now.told)))
        sh__combine_mark(stage, marker);
}

/* Charges the time since the last reading of the clock to this callback. It includes the engine's
 * work before, and callbacks after which the clock was not read. The number of such callbacks to
 * come is drawn from the clock, so that every stage gets its share in any rhythm of turns. */
static void read_clock(sh_stage *stage)
{
    sh_worker *worker = stage->worker;
    worker->ticks = sh__ticks();
    worker->unread = worker->ticks >> 4 & 3;
    uint64_t took = worker->ticks - stage->now.began;
    stage->callback_ticks += took;
    stage->brief = took < worker->brief ? stage->now.callback : (uint8_t)SH__CALLBACK_NONE;
}

/* Counts a callback. Reading the clock costs as much as a small callback, so after a brief one of
 * the same kind it is only read now and then. */
static inline void count_callback(sh_stage *stage)
{
    stage->stats.callbacks++;
    if (stage->brief == stage->now.callback && stage->worker->unread > 0)
        stage->worker->unread--;
    else
        read_clock(stage);
}

static void callback_done(sh_stage *stage, int status, sh_result *r)
{
    stage->is_waiting = false;
    count_callback(stage);
    if (sh__unlikely(stage->now.has_failed))
        status = sh__failed_settle(stage, status, r);
    if (sh__unlikely(status < 0)) {
        if (!sh__recovery_try(stage, r)) {
            callback_failed(stage, r);
            return;
        }
        if (stage->is_waiting)
            return; /* until the next try */
    }
    enum sh__callback callback = stage->now.callback;
    if (callback == SH__CALLBACK_TERMINATE) {
        drop_result(r);
        sh__stage_finish(stage);
        return;
    }
    if (r->events.list)
        emit(stage, r->events);
    if (sh__unlikely(stage->now.told.head != NULL))
        tell(stage);
    if (sh__unlikely(stage->feed.is_acked) && callback == SH__CALLBACK_EVENTS)
        sh__consumer_handled(stage, stage->now.ask > 0 && !r->stop);
    if (callback != SH__CALLBACK_EVENTS || r->stop || stage->now.ask > 0 ||
        stage->feed.rest.n == 0)
        follow_up(stage, callback, r);
    if (stage->is_waiting)
        return; /* the stage was ended by that, and `now` is its terminate, which waits */
    if (callback == SH__CALLBACK_EVENTS) {
        sh_batch_unref(stage->now.batch);
        stage->now.batch = (sh_batch){0};
        stage->now.callback = SH__CALLBACK_NONE;
    } else if (callback == SH__CALLBACK_DEMAND) {
        stage->now.callback = SH__CALLBACK_NONE;
    } else {
        sh__callback_forget(stage);
    }
    if (sh__unlikely(r->stop))
        end_by_choice(stage, r->reason);
}

/* Called when the C function of the callback has returned. */
static inline void leave_callback(sh_stage *stage)
{
    stage->in_callback = false;
    sh__activity_end(stage->worker);
}

void sh__callback_returned(sh_stage *stage, int status, sh_result *r)
{
    leave_callback(stage);
    if (status == SH_WAIT)
        stage->is_waiting = true;
    else
        callback_done(stage, status, r);
}

void sh_stage_complete(sh_stage *self, int status, sh_result *r)
{
    if (!self->is_waiting) {
        drop_result(r);
        return;
    }
    sh_stage *outer = self->worker->current;
    self->worker->current = self;
    callback_done(self, status, r);
    self->worker->current = outer;
    if (self->phase != SH__PHASE_ENDED)
        sh__worker_schedule(self->worker, self);
}

void sh__callback_begin(sh_stage *stage, enum sh__callback callback)
{
    assert(!stage->is_waiting && !stage->in_callback);
    stage->now.callback = (uint8_t)callback;
    stage->now.began = stage->worker->ticks;
    stage->in_callback = true;
    sh__activity_begin(stage->worker, stage, callback_names[callback]);
}

/* Whether the end of handle_demand or handle_events takes its usual, short course; callback_done
 * would have the same effect. */
static inline bool ends_plainly(const sh_stage *stage, int status, const sh_result *r)
{
    return status == SH_DONE && !r->stop && !stage->now.told.head &&
           !stage->feed.is_acked && !stage->now.has_failed;
}

static inline void demand_done(sh_stage *stage, sh_batch events)
{
    leave_callback(stage);
    count_callback(stage);
    if (events.list)
        emit(stage, events);
    stage->now.callback = SH__CALLBACK_NONE;
}

static inline void events_done(sh_stage *stage, sh_batch events)
{
    leave_callback(stage);
    count_callback(stage);
    if (events.list)
        emit(stage, events);
    if (stage->now.ask > 0)
        sh__consumer_ask(stage, stage->feed.sub, stage->now.ask);
    if (stage->feed.rest.n == 0)
        sh__consumer_drop_feed(stage);
    sh__batch_unref(stage->now.batch);
    stage->now.batch = (sh_batch){0};
    stage->now.callback = SH__CALLBACK_NONE;
}

/* -- one function for each start ------------------------------------------------------- */

void sh__callback_init(sh_stage *stage)
{
    sh_result r = {0};
    sh__callback_begin(stage, SH__CALLBACK_INIT);
    void *arg = stage->arg;
    stage->arg = NULL;
    int status =
        stage->ops->init ? stage->ops->init(stage, stage->state, arg, &r) : SH_DONE;
    sh__callback_returned(stage, status, &r);
}

void sh__callback_demand(sh_stage *stage, int64_t n)
{
    sh_result r = {0};
    sh__callback_begin(stage, SH__CALLBACK_DEMAND);
    int status = stage->ops->handle_demand
                     ? stage->ops->handle_demand(stage, stage->state, n, &r)
                     : SH_DONE;
    if (sh__likely(ends_plainly(stage, status, &r)))
        demand_done(stage, r.events);
    else
        sh__callback_returned(stage, status, &r);
}

void sh__callback_events(sh_stage *stage, sh_batch batch, int64_t ask)
{
    sh_result r = {.are_last = !stage->recovery && !stage->feed.is_acked};
    sh__callback_begin(stage, SH__CALLBACK_EVENTS);
    stage->now.batch = batch;
    stage->now.ask = ask;
    stage->stats.events_in += batch.n;
    sh_subscription *sub = stage->feed.sub;
    int status = stage->ops->handle_events
                     ? stage->ops->handle_events(stage, stage->state, batch, sub, &r)
                     : SH_DONE;
    if (sh__likely(ends_plainly(stage, status, &r)))
        events_done(stage, r.events);
    else
        sh__callback_returned(stage, status, &r);
}

void sh__callback_events_again(sh_stage *stage)
{
    sh_result r = {0};
    stage->is_waiting = false;
    sh__callback_begin(stage, SH__CALLBACK_EVENTS);
    int status = stage->ops->handle_events(stage, stage->state, stage->now.batch,
                                           stage->feed.sub, &r);
    sh__callback_returned(stage, status, &r);
}

void sh__callback_task(sh_stage *stage, enum sh__callback callback, struct sh__task *task)
{
    const sh_stage_ops *ops = stage->ops;
    sh_result r = {0};
    sh__callback_begin(stage, callback);
    stage->now.task = *task;
    int status = SH_DONE;
    bool in = callback == SH__CALLBACK_SUBSCRIBE_IN || callback == SH__CALLBACK_CANCEL_IN;
    sh_role other = in ? SH_ROLE_PRODUCER : SH_ROLE_CONSUMER;
    if (callback == SH__CALLBACK_SUBSCRIBE_IN || callback == SH__CALLBACK_SUBSCRIBE_OUT) {
        if (ops->handle_subscribe)
            status = ops->handle_subscribe(stage, stage->state, other,
                                           &task->subscribe->opts, task->sub, &r);
    } else if (callback == SH__CALLBACK_END) {
        if (ops->handle_end)
            status = ops->handle_end(stage, stage->state, task->error, &r);
    } else if (ops->handle_cancel) {
        status =
            ops->handle_cancel(stage, stage->state, task->how, task->error, task->sub, &r);
    }
    sh__callback_returned(stage, status, &r);
}

void sh__callback_terminate(sh_stage *stage)
{
    sh_result r = {0};
    sh__callback_begin(stage, SH__CALLBACK_TERMINATE);
    int status = SH_DONE;
    if (stage->ops->terminate)
        status = stage->ops->terminate(stage, stage->state, stage->end_reason, &r);
    sh__callback_returned(stage, status, &r);
}

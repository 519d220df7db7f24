/* SPDX-License-Identifier: MIT
 *
 * How a stage ends: gracefully (its consumers first take the events it holds) or at once;
 * terminate; then everything is taken down, the peers are told, and leftover events are
 * counted. */
#include "life/end.h"

#include "consume/above.h"
#include "consume/consumer.h"
#include "consume/limits.h"
#include "consume/producer_consumer.h"
#include "consume/recovery.h"
#include "life/above.h"
#include "life/callback.h"
#include "life/start.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/emit.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/activity.h"
#include "stage/agenda.h"
#include "stage/group.h"
#include "stage/host_state.h"
#include "stage/ledger.h"
#include "stage/links.h"
#include "stage/log.h"
#include "stage/registry.h"
#include "stage/request.h"
#include "stage/timer.h"
#include "stage/traffic.h"

/* -- leftovers ------------------------------------------------------------------------- */

/* Leftover events: received by the stage and not handled, or still to send. */
enum side { RECEIVED, TO_SEND };

static void count(sh_stage *stage, uint64_t events, const char *where, enum side side)
{
    if (events == 0)
        return;
    if (stage->is_declined) {
        sh__worker_count_declined(stage->worker, stage, events);
    } else if (side == RECEIVED && stage->chose_to_stop) {
        sh__worker_count_stopped(stage->worker, stage, events);
    } else {
        sh__worker_count_unfinished(stage->worker, stage, events, where);
    }
}

static uint64_t events_in(const struct sh__mailbox *box)
{
    uint64_t n = 0;
    for (const struct sh__message *message = box->head; message; message = message->next)
        if (message->kind == SH__EVENTS && !message->sub->in.ack)
            n += message->batch.n;
    return n;
}

/* Counts leftover events, except those in mailboxes: refusing the messages counts these. */
static void count_leftovers(sh_stage *stage)
{
    if (!stage->feed.is_acked)
        count(stage, (uint64_t)stage->now.batch.n + stage->feed.rest.n, "handle_events",
              RECEIVED);
    count(stage, events_in(&stage->input), "input", RECEIVED);
    count(stage, sh__limits_held_events(stage), "held", RECEIVED);
    if (!stage->out)
        return;
    uint64_t held = (uint64_t)sh__producer_held(stage, SH_HELD_ALL);
    uint64_t declined = sh__producer_declined(stage);
    declined = declined < held ? declined : held;
    sh__worker_count_declined(stage->worker, stage, declined);
    count(stage, held - declined, "buffer", TO_SEND);
    uint64_t combining = (uint64_t)sh__combine_held(stage->out);
    if (sh__producer_is_declined(stage))
        sh__worker_count_declined(stage->worker, stage, combining);
    else
        count(stage, combining, "combine", TO_SEND);
}

void sh_stage_leave_behind(sh_stage *self, uint64_t n)
{
    count(self, n, "its own queues", RECEIVED);
}

void sh_stage_end_producers(sh_stage *self)
{
    self->ends_producers = true;
}

/* -- ending ---------------------------------------------------------------------------- */

/* Whether consumers may still take the events the stage holds. */
static bool should_wait(const sh_stage *stage)
{
    const struct sh__producer *out = stage->out;
    sh_held which = stage->is_draining       ? SH_HELD_PRESENT
                    : stage->await_consumers ? SH_HELD_ALL
                                             : SH_HELD_EXPECTED;
    if (out && sh__unlikely(out->acks != NULL) && sh__acks_pending(out) > 0)
        return true; /* they will be acknowledged, or come back */
    int64_t held = out ? sh__producer_held(stage, which) : 0;
    if (held > 0 && which == SH_HELD_ALL)
        held -= (int64_t)sh__producer_declined(stage);
    if (!out || (held <= 0 && sh__pump_is_empty(stage) && !sh__limits_gather_any(stage)))
        return false;
    if (!sh__link_is_empty(&stage->consumers))
        return true;
    return (!out->has_had_consumers || stage->await_consumers) && !stage->is_draining;
}

/* Whether consumers are there to take the events the stage holds, or are expected. */
static bool is_awaited(const sh_stage *stage)
{
    return stage->out && (stage->await_consumers || !sh__link_is_empty(&stage->consumers) ||
                          sh__acks_pending(stage->out) > 0);
}

static void drop_agenda(sh_stage *stage)
{
    while (stage->n_tasks > 0) {
        struct sh__task task = stage->tasks[--stage->n_tasks];
        sh__reply(stage->worker, task.from, SH_ENOPROC, (sh_batch){0}, stage->end_reason);
        sh__task_free(&task);
    }
}

/* Answers the stages that asked for the waiting callback, which will never finish. */
static void abandon_callback(sh_stage *stage, sh_error *reason)
{
    sh_worker *worker = stage->worker;
    struct sh__message *message = stage->now.message;
    sh__reply(worker, stage->now.task.from, SH_ENOPROC, (sh_batch){0}, reason);
    if (message && sh__message_route(message) != SH__ROUTE_SIGNAL)
        sh__reply(worker, message->from, SH_ENOPROC, (sh_batch){0}, reason);
    sh__callback_forget(stage);
}

/* Emits what a combiner holds when no input is left that it could take. Returns its failure, owned,
 * or NULL. */
static sh_error *flush(sh_stage *stage)
{
    bool may_emit = stage->out && stage->phase >= SH__PHASE_RUNNING;
    return may_emit && sh__pump_is_empty(stage) ? sh__combine_flush(stage) : NULL;
}

void sh__stage_end(sh_stage *stage, sh_error *reason, enum sh__end how)
{
    bool is_graceful = how == SH__END_GRACEFULLY;
    if (stage->phase >= SH__PHASE_ENDING) {
        sh_error_unref(reason);
        return;
    }
    bool leaving = stage->phase == SH__PHASE_LEAVING;
    if (leaving && is_graceful) {
        sh_error_unref(reason); /* the first one counts */
        return;
    }
    sh_error *failure = is_graceful ? flush(stage) : NULL;
    if (failure) {
        sh_error_unref(reason);
        reason = failure;
        is_graceful = false;
    }
    sh_error_unref(stage->end_reason);
    stage->end_reason = reason;
    bool has_more = stage->is_draining && stage->out && stage->mailbox.head;
    if (is_graceful && stage->phase == SH__PHASE_RUNNING &&
        (has_more || should_wait(stage))) {
        sh__limits_resume_all(stage);
        sh__stage_set_phase(stage, SH__PHASE_LEAVING);
        if (stage->out)
            sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SETTLE});
        return;
    }
    if (stage->phase == SH__PHASE_NEW || stage->phase == SH__PHASE_STARTING) {
        sh__stage_finish(stage);
        return;
    }
    sh__stage_set_phase(stage, SH__PHASE_ENDING);
    drop_agenda(stage);
    sh__callback_terminate(stage);
}

void sh__stage_end_asked(sh_stage *stage, sh_error *reason)
{
    stage->chose_to_stop = sh_error_is_clean(reason);
    bool is_graceful = reason == NULL && is_awaited(stage);
    sh__stage_end(stage, reason, is_graceful ? SH__END_GRACEFULLY : SH__END_NOW);
}

void sh__stage_end_input(sh_stage *stage, sh_error *reason)
{
    bool has_to_know = stage->ops->handle_end && sh__stage_consumes(stage) &&
                       stage->n_inputs == 0 && !stage->has_failed_input;
    if (!has_to_know || stage->phase != SH__PHASE_RUNNING) {
        sh__stage_end_told(stage, reason);
    } else if (stage->was_told_end) {
        sh_error_unref(reason);
    } else {
        stage->was_told_end = true;
        sh__stage_push_task(stage,
                            (struct sh__task){.kind = SH__TASK_END, .error = reason});
    }
}

void sh__stage_end_told(sh_stage *stage, sh_error *reason)
{
    bool is_graceful = !stage->is_finishing || is_awaited(stage);
    sh__stage_end(stage, reason, is_graceful ? SH__END_GRACEFULLY : SH__END_NOW);
}

void sh__stage_end_drained(sh_stage *stage)
{
    if (!stage->is_draining || stage->phase >= SH__PHASE_LEAVING)
        return;
    bool is_fed = sh__stage_consumes(stage) && !sh__link_is_empty(&stage->producers);
    bool is_deserted = stage->out && sh__link_is_empty(&stage->consumers);
    if (is_fed && !is_deserted)
        return;
    if (stage->kind == SH_CONSUMER && !stage->monitors &&
        !atomic_load(&stage->worker->host->finishing))
        return;
    sh_error *reason = sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL, "the host is draining");
    sh__stage_end_input(stage, reason);
}

/* The callback, which sleeps, will not be resumed. */
void sh__stage_end_sleeping(sh_stage *stage)
{
    sh_error *reason = sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL, "the host is draining");
    stage->is_waiting = false;
    abandon_callback(stage, reason);
    stage->chose_to_stop = true;
    sh__stage_end(stage, reason, SH__END_NOW);
}

void sh__stage_end_by_signal(sh_stage *stage)
{
    sh_error *reason = sh__links_take_exit(stage);
    if (stage->phase >= SH__PHASE_ENDING) {
        sh_error_unref(reason);
        return;
    }
    stage->chose_to_stop = sh_error_is_clean(reason);
    stage->ended_by_signal = true;
    if (stage->is_waiting) {
        stage->is_waiting = false;
        if (!stage->feed.is_acked) /* else its producer delivers it again */
            count(stage, stage->now.batch.n, "handle_events", RECEIVED);
        abandon_callback(stage, reason);
    }
    sh__stage_end(stage, reason, SH__END_NOW);
}

/* Whether a producer takes one more message before it ends: a message that has come by now may make
 * it emit, as when a source has told itself that it read data. Later messages are refused. */
static bool takes_last_message(sh_stage *stage)
{
    if (!stage->out || !stage->mailbox.head)
        return false;
    if (!stage->counts_last)
        for (const struct sh__message *m = stage->mailbox.head; m; m = m->next)
            stage->last_messages++;
    stage->counts_last = true;
    if (stage->last_messages == 0)
        return false;
    stage->last_messages--;
    return true;
}

void sh__stage_check_leaving(sh_stage *stage)
{
    sh_error *failure = flush(stage);
    if (failure) {
        sh__stage_end(stage, failure, SH__END_NOW);
        return;
    }
    if (should_wait(stage) || takes_last_message(stage))
        return;
    if (stage->kind == SH_PRODUCER_CONSUMER && stage->mailbox.head)
        return; /* the mailbox may have events sent before the end */
    sh__stage_set_phase(stage, SH__PHASE_ENDING);
    drop_agenda(stage);
    sh__callback_terminate(stage);
}

/* -- taking down ----------------------------------------------------------------------- */

static void tell_peer(sh_stage *stage, sh_subscription *sub, sh_role role, sh_error *reason)
{
    struct sh__message *down = sh__message_to(
        stage, sub, role == SH_ROLE_CONSUMER ? SH__CONSUMER_DOWN : SH__PRODUCER_DOWN);
    if (!down)
        return;
    down->error = reason ? sh_error_ref(reason) : NULL;
    if (role == SH_ROLE_CONSUMER) {
        down->consumer_down.declines = stage->declines || stage->is_declined;
        down->consumer_down.ends_producer = stage->ends_producers;
    }
    if (role == SH_ROLE_CONSUMER && sub->in.ack) {
        down->consumer_down.handled = sub->in.acked;
        down->consumer_down.begun = sub->in.begun;
    }
    sh__send(stage->worker, down, NULL);
}

void sh__stage_turn_away(sh_stage *stage, sh_subscription *sub, sh_error *reason)
{
    if (!sub->out.open)
        return;
    tell_peer(stage, sub, SH_ROLE_PRODUCER, reason);
    sh__subscription_close_out(sub);
}

static void close_producers(sh_stage *stage)
{
    while (!sh__link_is_empty(&stage->producers)) {
        sh_subscription *sub =
            sh__container_of(stage->producers.next, sh_subscription, in.link);
        if (sub->producer)
            tell_peer(stage, sub, SH_ROLE_CONSUMER, stage->end_reason);
        sh__subscription_close_in(sub);
    }
}

static void close_consumers(sh_stage *stage)
{
    while (!sh__link_is_empty(&stage->consumers)) {
        sh_subscription *sub =
            sh__container_of(stage->consumers.next, sh_subscription, out.link);
        if (sub->out.dispatching) {
            sub->out.dispatching = false;
            stage->out->dispatcher->cancel(stage->out->dispatcher_state, sub,
                                           &stage->out->dispatch.base);
        }
        tell_peer(stage, sub, SH_ROLE_PRODUCER, stage->end_reason);
        sh__subscription_close_out(sub);
    }
}

static void drop_messages(sh_stage *stage, struct sh__mailbox *box)
{
    struct sh__message *message;
    while ((message = sh__mailbox_pop(box)))
        sh__message_refuse(stage->worker, message);
}

/* Events of the input queue have been counted already. */
static void drop_input(sh_stage *stage)
{
    struct sh__message *message;
    sh__consumer_last_acks(stage, &stage->input);
    while ((message = sh__mailbox_pop(&stage->input)))
        sh__message_free(stage->worker, message);
}

static void answer_start(sh_stage *stage)
{
    sh_from from = stage->start_from;
    if (!from.stage)
        return;
    stage->start_from = (sh_from){0};
    const sh_error *reason = stage->end_reason;
    int status =
        reason && sh_error_get(reason)->code == SH_EIGNORED ? SH_EIGNORED : SH_EFAILED;
    sh__reply(stage->worker, from, status, (sh_batch){0}, stage->end_reason);
    sh_stage_unref(from.stage);
}

/* Logs the end as an error, or at info level if a linked stage already did. */
static void log_end(sh_stage *stage, bool never_ran, bool is_known)
{
    sh_error *reason = stage->end_reason;
    sh_host *host = stage->worker->host;
    const char *message = sh_error_get(reason)->message;
    const char *lead = message ? "" : "ended with the reason ";
    if (!message)
        message = sh_error_get(reason)->name;
    if (is_known)
        sh__log(host, SH_LOG_INFO, SH_LOG_STAGE_ENDED, stage, NULL,
                "ended with a stage it was linked to: %s", message);
    else
        sh__log(host, SH_LOG_ERROR, never_ran ? SH_LOG_START_FAILED : SH_LOG_STAGE_ENDED,
                stage, reason, "%s%s", lead, message);
}

static void count_failure(sh_stage *stage, sh_error *reason)
{
    stage->worker->stages_failed++;
    sh__host_record_failure(stage->worker->host, reason);
}

void sh_stage_count_failure(sh_stage *self, sh_error *reason)
{
    if (!self->is_supervised)
        count_failure(self, reason);
}

/* Logs and counts a failure, each once. Returns the flags (SH__EXIT_*) of what linked stages need
 * not do again. */
static uint8_t report(sh_stage *stage, bool never_ran, bool has_asker)
{
    sh_error *reason = stage->end_reason;
    if (sh_error_is_clean(reason) || stage->is_cascade)
        return SH__EXIT_LOGGED | SH__EXIT_COUNTED;
    if (stage->is_killed)
        return 0;
    if (never_ran && (has_asker || sh_error_get(reason)->code == SH_EIGNORED))
        return 0; /* its starter is told */
    uint8_t done = stage->ended_by_signal ? stage->links->exit_what : 0;
    if (!(done & SH__EXIT_COUNTED) && !stage->is_supervised) {
        count_failure(stage, reason);
        done |= SH__EXIT_COUNTED;
    }
    log_end(stage, never_ran, done & SH__EXIT_LOGGED);
    return done | SH__EXIT_LOGGED;
}

/* Ends the activity of the stage; afterwards no thread sees the stage as the running one. */
static void leave_sight(sh_stage *stage)
{
    sh_worker *worker = stage->worker;
    sh__activity_end(worker);
    uv_mutex_lock(&worker->host->watch_lock);
    uv_mutex_unlock(&worker->host->watch_lock);
}

void sh__stage_finish(sh_stage *stage)
{
    sh_worker *worker = stage->worker;
    bool never_ran = stage->phase < SH__PHASE_RUNNING;
    sh_stage *asker = sh__stage_find_asker(stage);
    stage->is_declined =
        sh__producer_is_declined(stage) && sh_error_is_clean(stage->end_reason);
    count_leftovers(stage);
    if (stage->out)
        sh__refusals_end(stage);
    sh__stage_set_phase(stage, SH__PHASE_ENDED);
    atomic_store(&stage->alive, false);
    leave_sight(stage);
    stage->is_waiting = false;
    if (stage->name)
        sh__registry_remove(worker->host, stage->name, stage);
    sh__group_leave_all(stage);
    uint8_t reported = report(stage, never_ran, asker != NULL);
    sh__timers_stop(stage);
    abandon_callback(stage, stage->end_reason);
    drop_agenda(stage);
    sh__consumer_drop_feed(stage);
    sh__limits_free_all(stage);
    close_producers(stage);
    close_consumers(stage);
    sh__traffic_end_stage(stage);
    if (stage->out)
        sh__acks_abandon(stage->out);
    drop_input(stage);
    drop_messages(stage, &stage->mailbox);
    drop_messages(stage, &stage->answers);
    sh__links_end(stage, reported, asker);
    answer_start(stage);
    sh__answer_ended(stage);
    sh__recovery_end(stage);
    if (stage->ops->destroy)
        stage->ops->destroy(stage, stage->state, stage->arg);
    stage->arg = NULL;
    sh_free(stage->state);
    stage->state = NULL;
    if (stage->out)
        sh__producer_free(stage->out);
    stage->out = NULL;
    sh__stage_free_start(stage);
    sh_free(stage->tasks);
    stage->tasks = NULL;
    stage->task_capacity = 0;
    sh__link_remove(&stage->link);
    atomic_fetch_sub(&worker->n_stages, 1);
    sh__link_append(&worker->ended, &stage->link);
    sh__host_stage_ended(worker->host, stage);
}

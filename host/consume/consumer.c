/* SPDX-License-Identifier: MIT
 *
 * The consumer side: subscribing, cutting arriving events into batches and asking for more,
 * and the end of a subscription. */
#include "consume/consumer.h"

#include <string.h>

#include "consume/above.h"
#include "consume/batching.h"
#include "consume/producer_consumer.h"
#include "consume/recovery.h"
#include "consume/redirect.h"
#include "consume/share.h"
#include "dispatch/dispatch.h"
#include "produce/above.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/ledger.h"
#include "stage/log.h"
#include "stage/request.h"
#include "stage/run_queue.h"

/* -- subscribing ----------------------------------------------------------------------- */

static void answer(sh_stage *stage, sh_from from, int status, sh_error *error)
{
    sh__reply(stage->worker, from, status, (sh_batch){0}, error);
    sh_stage_unref(from.stage);
}

/* Handles an unknown name as if the producer had ended at once. */
static void no_such_producer(sh_stage *stage, struct sh__subscribe *subscribe, sh_from from)
{
    sh_subscribe_opts *opts = &subscribe->opts;
    sh_subscription *sub = sh__subscription_new(stage->worker, stage, NULL);
    if (sub)
        sh__reply_subscription(stage->worker, from, sub);
    sh_subscription_unref(sub);
    sh_stage_unref(from.stage);
    if (opts->cancel != SH_CANCEL_TEMPORARY) {
        sh_error *reason = sh_error_fmt(SH_REASON_NOPROC, SH_ENOPROC, NULL,
                                        "can't subscribe to \"%s\": no stage has that name",
                                        opts->to_name);
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_NOT_ALIVE, stage, NULL,
                "subscribes to \"%s\", but no stage has that name", opts->to_name);
        sh__stage_fail(stage, reason);
    }
    sh__subscribe_free(subscribe);
}

static struct sh__message *subscribe_message(sh_stage *stage, sh_subscription *sub,
                                             const struct sh__subscribe *subscribe)
{
    const sh_subscribe_opts *opts = &subscribe->opts;
    struct sh__message *message = sh__message_to(stage, sub, SH__SUBSCRIBE);
    if (!message)
        return NULL;
    sh_subscribe_opts copy = *opts;
    copy.current_reason = opts->current_reason ? sh_error_ref(opts->current_reason) : NULL;
    copy.extra = opts->extra.list ? sh_batch_ref(opts->extra) : (sh_batch){0};
    copy.selector = NULL;
    message->subscribe = sh__subscribe_new(&copy);
    if (message->subscribe) {
        message->subscribe->hops = subscribe->hops;
        return message;
    }
    sh__message_free(stage->worker, message);
    return NULL;
}

/* Sends the request and leaves handle_subscribe on the agenda. Takes all but `sub`. */
static void request(sh_stage *stage, sh_subscription *sub, struct sh__subscribe *subscribe,
                    sh_from from)
{
    sh_subscribe_opts *opts = &subscribe->opts;
    sh_error *error = NULL;
    sub->in.cancel = opts->cancel;
    sub->in.ack = opts->ack;
    sub->in.max = opts->max_demand;
    sub->in.min = opts->min_demand;
    struct sh__message *message = NULL;
    if (sh__share_add(sub, opts) == SH_OK && sh__limits_start(stage, sub, opts) == SH_OK)
        message = subscribe_message(stage, sub, subscribe);
    if (!message || sh__send(stage->worker, message, &error) < 0) {
        sh__limits_close(stage, sub);
        answer(stage, from, message ? SH_EFAILED : SH_ENOMEM, error);
        sh_error_unref(error);
        sh__subscribe_free(subscribe);
        return;
    }
    sh__subscription_open_in(sub);
    stage->n_inputs++;
    if (from.stage == stage) {
        /* The agenda would have to wait while the stage waits for this answer. */
        sh__reply_subscription(stage->worker, from, sub);
        sh_stage_unref(from.stage);
        from = (sh_from){0};
    }
    sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SUBSCRIBE_IN,
                                                 .sub = sh_subscription_ref(sub),
                                                 .subscribe = subscribe,
                                                 .from = from});
}

void sh__consumer_subscribe(sh_stage *stage, struct sh__subscribe *subscribe, sh_from from)
{
    sh_subscribe_opts *opts = &subscribe->opts;
    sh_error *error = NULL;
    int status =
        sh__subscribe_opts_complete(opts, &stage->defaults, stage->worker->host, &error);
    if (status == SH_OK && opts->to && opts->to == stage) {
        error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "to",
                             "a stage can't subscribe to itself");
        status = SH_EBADOPT;
    }
    if (status == SH_OK && opts->ack && stage->out && stage->out->combine)
        status = sh__combine_refuse_ack(&error);
    if (status < 0) {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_INVALID_OPTION, stage, error,
                "can't subscribe: %s", sh_error_get(error)->message);
        answer(stage, from, status, error);
        sh_error_unref(error);
        sh__subscribe_free(subscribe);
        return;
    }
    if (opts->cancel == SH_CANCEL_DEFAULT)
        opts->cancel = stage->ops->handle_end ? SH_CANCEL_TRANSIENT : SH_CANCEL_PERMANENT;
    if (!opts->to)
        opts->to = sh_whereis(stage->worker->host, opts->to_name);
    if (!opts->to) {
        no_such_producer(stage, subscribe, from);
        return;
    }
    sh_subscription *sub = opts->via ? sh__share_find(stage, opts) : NULL;
    if (sub) {
        int shared = sh__share_add(sub, opts);
        if (shared == SH_OK)
            sh__reply_subscription(stage->worker, from, sub);
        else
            sh__reply(stage->worker, from, shared, (sh_batch){0}, NULL);
        sh_stage_unref(from.stage);
        sh__subscribe_free(subscribe);
        return;
    }
    sub = sh__subscription_new(stage->worker, stage, opts->to);
    if (!sub) {
        answer(stage, from, SH_ENOMEM, NULL);
        sh__subscribe_free(subscribe);
        return;
    }
    request(stage, sub, subscribe, from);
    sh_subscription_unref(sub);
}

void sh__consumer_subscribed(sh_stage *stage, sh_subscription *sub, sh_mode mode)
{
    sub->in.manual = mode == SH_MANUAL;
    sub->in.has_started = true;
    if (sub->in.manual || !sub->in.open)
        return;
    sub->in.outstanding = sub->in.max;
    sh__consumer_ask(stage, sub, sub->in.max);
}

/* -- events ---------------------------------------------------------------------------- */

void sh__consumer_ask(sh_stage *stage, sh_subscription *sub, int64_t n)
{
    if (!sub->in.open || !sub->producer || stage->phase == SH__PHASE_LEAVING)
        return;
    if (sh__unlikely(sub->in.limits) && !sh__limits_may_ask(sub->in.limits, n))
        return;
    sub->in.stats.asks++;
    stage->stats.asks_out++;
    sh__demand_count(&stage->stats.demand_out, n);
    stage->stats.messages_out++;
    if (sub->in.asked_at == 0)
        sub->in.asked_at = stage->worker->ticks;
    if (sub->local && sub->in.acked == 0 && sh__producer_offer_ask(sub->producer, sub, n))
        return;
    struct sh__message *message = sh__message_to(stage, sub, SH__ASK);
    if (!message)
        return;
    message->ask.n = n;
    if (sh__unlikely(sub->in.acked > 0)) {
        message->ask.handled = sub->in.acked;
        sub->in.acked = 0;
    }
    sh__send(stage->worker, message, NULL);
}

static void feed(sh_stage *stage, sh_subscription *sub, sh_batch batch, int64_t deliveries)
{
    stage->feed.sub = sub;
    stage->feed.rest = batch;
    stage->feed.covered = sub->in.outstanding;
    stage->feed.deliveries = deliveries;
    stage->feed.is_acked = sub->in.ack;
    if (sub->in.asked_at == 0)
        return;
    /* The clock is not read for this: an answer between two readings counts as taking no time. */
    stage->stats.asks_answered++;
    stage->stats.ask_ticks += stage->worker->ticks - sub->in.asked_at;
    sub->in.asked_at = 0;
}

void sh__consumer_feed(sh_stage *stage, struct sh__message *message)
{
    feed(stage, message->sub, message->batch, message->events.delivery);
    message->sub = NULL; /* the feed now has its reference */
    message->batch = (sh_batch){0};
    sh__message_free(stage->worker, message);
}

void sh__consumer_drop_feed(sh_stage *stage)
{
    if (!stage->feed.sub)
        return;
    sh_batch_unref(stage->feed.rest);
    stage->feed.rest = (sh_batch){0};
    sh__subscription_drop(stage->feed.sub, false);
    stage->feed.sub = NULL;
    stage->feed.is_acked = false;
}

bool sh__consumer_offer(sh_stage *stage, sh_subscription *sub, sh_batch batch)
{
    if (!sub->local || !sub->in.open || sub->in.limits || !sh__stage_is_idle(stage))
        return false;
    if (stage->out && (stage->input.head || sh__credit(stage->out) <= 0))
        return false;
    stage->stats.messages_in++;
    sub->in.stats.messages++;
    sub->in.stats.events += batch.n;
    sh__subscription_hold(sub, false);
    feed(stage, sub, batch, 0);
    sh__worker_schedule_fed(stage->worker, stage);
    return true;
}

/* The outstanding demand that a batch of n pays off, and the ask that it earns. GenStage 1.3:
 * the limit of a batch is always max - min; events beyond the demand before their message came
 * are handed on but earn nothing. */
static int64_t account(sh_stage *stage, struct sh__half_in *in, uint32_t n)
{
    int64_t credited = n;
    if (credited > stage->feed.covered) {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_EXCESS, stage, NULL,
                "got %lld events more than it had asked for",
                (long long)(n - stage->feed.covered));
        credited = stage->feed.covered;
    }
    stage->feed.covered -= credited;
    in->outstanding -= credited;
    if (in->outstanding > in->min)
        return 0;
    int64_t ask = in->max - in->outstanding;
    in->outstanding = in->max;
    return ask;
}

void sh__consumer_next(sh_stage *stage)
{
    struct sh__half_in *in = &stage->feed.sub->in;
    sh_batch rest = stage->feed.rest;
    int64_t limit = in->max - in->min;
    bool whole = in->manual || !in->open;
    if (sh__unlikely(in->limits)) {
        limit = sh__limits_allow(stage, in->limits, whole ? rest.n : limit);
        if (limit == 0)
            return;
    } else if (whole) {
        limit = rest.n;
    }
    if (sh__unlikely(stage->feed.is_acked))
        in->begun = rest.n <= limit ? rest.n : (uint32_t)limit;
    if (rest.n <= limit) {
        stage->feed.rest = (sh_batch){0};
        sh__callback_events(stage, rest, whole ? 0 : account(stage, in, rest.n));
        return;
    }
    sh_batch part = sh_batch_slice(rest, 0, (uint32_t)limit);
    stage->feed.rest.first += (uint32_t)limit;
    stage->feed.rest.n -= (uint32_t)limit;
    sh__callback_events(stage, part, whole ? 0 : account(stage, in, part.n));
}

uint32_t sh_subscription_deliveries(const sh_subscription *sub)
{
    const sh_stage *stage = sub->consumer;
    if (stage->now.callback != SH__CALLBACK_EVENTS || stage->feed.sub != sub)
        return 0;
    int64_t deliveries = stage->feed.deliveries;
    return (uint32_t)(deliveries > 1 ? deliveries : 1) + sh__recovery_tries(stage);
}

/* Refuses events of a subscription that this stage does not know. */
static void unknown_subscription(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (message->kind == SH__EVENTS && sub->producer) {
        struct sh__message *cancel = sh__message_to(stage, sub, SH__CANCEL_REQUEST);
        if (cancel) {
            cancel->error =
                sh_error_fmt(SH_REASON_CUSTOM, 0, "unknown_subscription",
                             "events for a subscription the consumer does not know");
            sh__send(stage->worker, cancel, NULL);
        }
        if (!sub->in.ack)
            sh__worker_count_unfinished(stage->worker, stage, message->batch.n,
                                        "unknown subscription");
    }
    sh__message_free(stage->worker, message);
}

/* -- the end of a subscription --------------------------------------------------------- */

static void push_cancel(sh_stage *stage, struct sh__message *message)
{
    sh__stage_push_task(
        stage,
        (struct sh__task){.kind = SH__TASK_CANCEL_IN,
                          .how = message->kind == SH__PRODUCER_DOWN ? SH_ENDED_DOWN
                                                                    : SH_ENDED_CANCEL,
                          .sub = sh_subscription_ref(message->sub),
                          .error = message->error ? sh_error_ref(message->error) : NULL});
}

void sh__consumer_end_subscription(sh_stage *stage, struct sh__message *message)
{
    push_cancel(stage, message);
    sh__consumer_last_ack(stage, message->sub);
    sh__limits_close(stage, message->sub);
    sh__message_free(stage->worker, message);
}

static bool cancel_ends_stage(const sh_stage *stage, sh_cancel mode, const sh_error *reason)
{
    const char *name = sh_error_get(reason)->name;
    if (mode == SH_CANCEL_TEMPORARY || (name && strcmp(name, "already_subscribed") == 0))
        return false;
    if (mode == SH_CANCEL_TRANSIENT)
        return !sh_error_is_clean(reason);
    return !(stage->end_with_last && sh_error_is_clean(reason) &&
             !sh__link_is_empty(&stage->producers));
}

/* Whether the end of a subscription was the end of all input, which ends the stage. */
static bool is_input_over(sh_stage *stage, sh_cancel mode, const sh_error *reason)
{
    bool is_clean = sh_error_is_clean(reason);
    stage->has_failed_input = !is_clean;
    if (mode != SH_CANCEL_TEMPORARY && is_clean)
        stage->has_ended_input = true;
    if (stage->n_inputs > 0)
        return false;
    return stage->is_finishing ||
           (stage->ops->handle_end && is_clean && stage->has_ended_input);
}

void sh__consumer_finish(sh_stage *stage)
{
    stage->is_finishing = true;
    if (stage->n_inputs == 0)
        sh__stage_end_input(stage, NULL);
}

void sh__consumer_cancelled(sh_stage *stage, sh_cancel mode, sh_error *reason)
{
    bool ends = cancel_ends_stage(stage, mode, reason);
    stage->n_inputs--;
    bool is_over = is_input_over(stage, mode, reason);
    if (is_over && (!ends || sh_error_is_clean(reason))) {
        bool is_clean = reason && sh_error_is_clean(reason);
        sh__stage_end_input(stage, is_clean ? sh_error_ref(reason) : NULL);
        return;
    }
    if (!ends) {
        sh__stage_end_drained(stage);
        return;
    }
    sh__log(stage->worker->host, SH_LOG_DEBUG, SH_LOG_STOPPING_AFTER_CANCEL, stage, reason,
            "stops because a producer ended or cancelled: %s", sh_error_get(reason)->name);
    stage->is_cascade = true;
    sh__stage_end(stage, reason ? sh_error_ref(reason) : NULL, SH__END_GRACEFULLY);
}

/* Handles the end of a subscription. On a producer_consumer with earlier input, that input is
 * handled first: the end waits after it in the input queue. */
static void subscription_ended(sh_stage *stage, struct sh__message *message)
{
    sh__subscription_close_in(message->sub);
    if (stage->kind == SH_PRODUCER_CONSUMER && !sh__pump_is_empty(stage)) {
        sh__mailbox_push(&stage->input, message);
        return;
    }
    sh__consumer_end_subscription(stage, message);
}

static void take_notification(sh_stage *stage, struct sh__message *message)
{
    if (stage->kind == SH_PRODUCER_CONSUMER)
        sh__mailbox_push(&stage->input, message);
    else
        sh__callback_message(stage, SH__CALLBACK_NOTIFICATION, message);
}

void sh__consumer_message(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (message->kind == SH__NOTIFICATION && message->notification.is_aside) {
        take_notification(stage, message);
        return;
    }
    if (!sub->in.open || sub->consumer != stage) {
        unknown_subscription(stage, message);
        return;
    }
    if (sh__unlikely(sub->in.limits) && sh__limits_take(stage, message))
        return;
    if (message->kind == SH__EVENTS) {
        sub->in.stats.messages++;
        sub->in.stats.events += message->batch.n;
        if (message->batch.n == 0)
            sh__message_free(stage->worker, message);
        else if (stage->kind == SH_PRODUCER_CONSUMER)
            sh__mailbox_push(&stage->input, message);
        else
            sh__consumer_feed(stage, message);
    } else if (message->kind == SH__NOTIFICATION) {
        take_notification(stage, message);
    } else if (message->kind == SH__REDIRECT) {
        sh__redirect_follow(stage, message);
        sh__message_free(stage->worker, message);
    } else {
        subscription_ended(stage, message);
    }
}

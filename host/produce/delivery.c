/* SPDX-License-Identifier: MIT
 *
 * The functions for events and markers that a stage gives its dispatcher in sh_dispatch. */
#include "produce/delivery.h"

#include "produce/above.h"
#include "produce/ack.h"
#include "produce/producer.h"
#include "stage/agenda.h"
#include "stage/deliver.h"
#include "stage/ledger.h"
#include "stage/log.h"

/* A copy of `error` (taken) that names the stage, if it names none. */
static sh_error *name_stage(sh_error *error, const sh_stage *stage)
{
    sh_error_fields fields = *sh_error_get(error);
    if (!error || fields.stage)
        return error;
    fields.stage = sh__stage_label(stage);
    sh_error *copy = sh_error_new(&fields);
    if (!copy)
        return error;
    sh_error_unref(error);
    return copy;
}

static struct sh__dispatch *context_of(sh_dispatch *base)
{
    return sh__container_of(base, struct sh__dispatch, base);
}

/* Gives the message its number of delivery, and keeps its events until they are acknowledged.
 * False: out of memory. */
static bool number(sh_stage *stage, sh_subscription *sub, struct sh__message *message)
{
    uint32_t delivery = stage->out->dispatch.base.delivery;
    delivery = delivery ? delivery : 1;
    message->events.delivery = delivery;
    return !sub->out.ack || sh__ack_sending(sub, message->batch, delivery);
}

/* Sends events as a message; takes `batch`. */
static void send_events(sh_stage *stage, sh_subscription *sub, sh_batch batch)
{
    struct sh__message *message = sh__message_to(stage, sub, SH__EVENTS);
    if (sh__unlikely(!message)) {
        sh__worker_count_unfinished(stage->worker, stage, batch.n, "out of memory");
        sh_batch_unref(batch);
        return;
    }
    message->batch = batch;
    uint32_t n = batch.n;
    if (!number(stage, sub, message)) {
        sh__worker_count_unfinished(stage->worker, stage, n, "out of memory");
        sh__message_free(stage->worker, message);
        return;
    }
    sh_error *error = NULL;
    if (sh__send(stage->worker, message, &error) < 0) {
        if (sub->out.ack)
            sh__ack_not_sent(sub, n);
        sh__worker_count_unfinished(stage->worker, stage, n,
                                    "could not cross to another worker");
        sh__stage_fail(stage, name_stage(error, stage));
    }
}

static inline void deliver(sh_stage *stage, sh_subscription *sub, sh_batch batch,
                           uint32_t delivery)
{
    stage->stats.events_out += batch.n;
    stage->stats.messages_out++;
    sub->out.stats.messages++;
    sub->out.stats.events += batch.n;
    sub->out.stats.outstanding -= batch.n;
    if (sh__unlikely(sub->out.ack || delivery) ||
        !sh__consumer_offer(sub->consumer, sub, batch))
        send_events(stage, sub, batch);
}

static void do_send(sh_dispatch *base, sh_subscription *sub, sh_batch batch)
{
    deliver(context_of(base)->stage, sub, batch, base->delivery);
}

void sh__deliver_events(sh_stage *stage, sh_subscription *sub, sh_batch batch)
{
    deliver(stage, sub, batch, 0);
}

static void do_notify(sh_dispatch *base, sh_subscription *sub, sh_marker *marker)
{
    sh_stage *stage = context_of(base)->stage;
    struct sh__message *message = sh__message_to(stage, sub, SH__NOTIFICATION);
    if (!message)
        return;
    message->batch = sh_batch_ref(marker->message);
    stage->stats.messages_out++;
    sh_error *error = NULL;
    if (sh__send(stage->worker, message, &error) < 0)
        sh__stage_fail(stage, name_stage(error, stage));
}

/* Puts an info into the stage's own mailbox when all events before it have left. */
static void do_release(sh_dispatch *base, sh_marker *marker)
{
    sh_stage *stage = context_of(base)->stage;
    if (marker->kind == SH__MARKER_INFO && stage->phase != SH__PHASE_ENDED) {
        struct sh__message *message = sh__message_new(stage->worker, SH__INFO, stage);
        if (message) {
            message->batch = marker->message;
            marker->message = (sh_batch){0};
            sh__stage_deliver(stage, message);
        } else {
            sh__stage_kill_oom(stage);
        }
    }
    sh__marker_free(marker);
}

static void do_fail(sh_dispatch *base, sh_subscription *sub, sh_error *error)
{
    sh_stage *stage = context_of(base)->stage;
    sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_SUBSCRIPTION_REFUSED, stage, error,
            "cancels %s: %s", sh__stage_label(sub->consumer), sh_error_get(error)->message);
    struct sh__message *message = sh__message_to(stage, sub, SH__CANCEL_REQUEST);
    if (!message) {
        sh_error_unref(error);
        return;
    }
    message->error = error;
    sh__stage_deliver(stage, message);
}

static void do_skip(sh_dispatch *base, uint32_t n, sh_error *error)
{
    sh_stage *stage = context_of(base)->stage;
    if (error)
        sh__refusals_count(stage, n, error);
    else
        stage->stats.discarded_none += n;
    sh_error_unref(error);
}

void sh__discarded_no_consumers(sh_stage *stage, uint64_t n)
{
    stage->stats.discarded_no_consumers += n;
    stage->worker->totals_discarded += n;
}

/* Counts dropped events; those that an ended stage still held have been counted already. */
static void do_drop(sh_dispatch *base, uint64_t n)
{
    sh_stage *stage = context_of(base)->stage;
    if (stage->phase != SH__PHASE_ENDED)
        sh__discarded_no_consumers(stage, n);
}

bool sh__discard_full(sh_stage *stage, uint64_t n, const char *what, int64_t size)
{
    stage->stats.discarded_full += n;
    stage->worker->totals_discarded += n;
    bool log = true;
    if (stage->ops->format_discarded)
        log = stage->ops->format_discarded(stage, stage->state, n);
    if (log)
        sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_DISCARDED, stage, NULL,
                "discarded %llu event%s: the %s of %lld is full", (unsigned long long)n,
                n == 1 ? "" : "s", what, (long long)size);
    return log;
}

static void do_refuse(sh_dispatch *base, sh_batch events, sh_error *error)
{
    sh_stage *stage = context_of(base)->stage;
    if (sh__dead_letter_is_given(stage)) {
        sh__dead_letter(stage, events, error, sh__stage_label(stage), 0);
        sh_error_unref(error);
    } else {
        do_skip(base, events.n, error);
    }
    sh_batch_unref(events);
}

static void do_discard(sh_dispatch *base, uint64_t n, int64_t size)
{
    sh__discard_full(context_of(base)->stage, n, "queue of a partition", size);
}

static void do_warn(sh_dispatch *base, sh_subscription *sub, int64_t n, int64_t max)
{
    sh_stage *stage = context_of(base)->stage;
    sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_MAX_DEMAND_MISMATCH, stage, NULL,
            "%s asks for %lld events, more than the max_demand of %lld that the demand "
            "dispatcher works with",
            sh__stage_label(sub->consumer), (long long)n, (long long)max);
}

void sh__dispatch_init(struct sh__dispatch *out, sh_stage *stage)
{
    out->base.worker = stage->worker;
    out->base.owed = 0;
    out->base.delivery = 0;
    out->base.expects_another = false;
    out->base.send = do_send;
    out->base.notify = do_notify;
    out->base.release = do_release;
    out->base.fail = do_fail;
    out->base.skip = do_skip;
    out->base.refuse = do_refuse;
    out->base.discard = do_discard;
    out->base.drop = do_drop;
    out->base.warn = do_warn;
    out->stage = stage;
    out->refusals = (struct sh__refusals){0};
}

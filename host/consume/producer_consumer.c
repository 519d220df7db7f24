/* SPDX-License-Identifier: MIT
 *
 * The input queue of a producer_consumer: whole upstream messages, infos, and ends of
 * subscriptions, in order. Events are taken while its consumers have credit; a message that
 * was taken is handled completely, and results beyond demand are buffered, as in GenStage
 * 1.3. */
#include "consume/producer_consumer.h"

#include "consume/consumer.h"
#include "consume/limits.h"
#include "produce/combine.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/ledger.h"

bool sh__pump_is_empty(const sh_stage *stage)
{
    return !stage->input.head && !stage->feed.sub && !sh__limits_hold_any(stage);
}

/* Whether the stage had consumers and all have left: then no credit will come for the input queued
 * before the end of an upstream that ends this stage. */
static bool is_abandoned(const sh_stage *stage)
{
    return sh__link_is_empty(&stage->consumers) &&
           (stage->out->has_had_consumers || stage->is_draining) &&
           sh__link_is_empty(&stage->producers);
}

static bool ends_here(const struct sh__message *message)
{
    return message->kind == SH__CANCEL || message->kind == SH__PRODUCER_DOWN;
}

/* Skips input that can't be handed on: no stage is left on either side, and the input is before
 * the end of the last upstream. */
static bool skip_abandoned(sh_stage *stage)
{
    struct sh__message *message = stage->input.head;
    if (!message || !is_abandoned(stage))
        return false;
    if (message->kind == SH__EVENTS && !message->sub->in.ack) {
        if (sh__producer_is_declined(stage))
            sh__worker_count_declined(stage->worker, stage, message->batch.n);
        else
            sh__worker_count_unfinished(stage->worker, stage, message->batch.n, "input");
    }
    sh__mailbox_pop(&stage->input);
    if (ends_here(message))
        sh__consumer_end_subscription(stage, message);
    else
        sh__message_free(stage->worker, message);
    return true;
}

static void take_payload(sh_stage *stage, struct sh__message *message,
                         enum sh__marker_kind kind)
{
    sh_batch payload = message->batch;
    message->batch = (sh_batch){0};
    sh__message_free(stage->worker, message);
    sh__combine_mark(stage, sh__marker_new(kind, payload));
}

static void take(sh_stage *stage, struct sh__message *message)
{
    if (message->kind == SH__EVENTS)
        sh__consumer_feed(stage, message);
    else if (ends_here(message))
        sh__consumer_end_subscription(stage, message);
    else if (message->kind == SH__QUEUED_INFO)
        take_payload(stage, message, SH__MARKER_INFO);
    else if (stage->ops->handle_notification)
        sh__callback_message(stage, SH__CALLBACK_NOTIFICATION, message);
    else
        take_payload(stage, message, SH__MARKER_NOTIFICATION);
}

bool sh__pump(sh_stage *stage)
{
    struct sh__message *message = stage->input.head;
    if (!message)
        return false;
    if (sh__unlikely(stage->limits) && sh__limits_shut_out(message)) {
        sh__limits_hold(sh__mailbox_pop(&stage->input));
        return true;
    }
    bool in_band = message->kind == SH__NOTIFICATION;
    if (!in_band && sh__credit(stage->out) <= 0 && !sh__is_emptying(stage))
        return skip_abandoned(stage);
    take(stage, sh__mailbox_pop(&stage->input));
    return true;
}

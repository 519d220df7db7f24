/* SPDX-License-Identifier: MIT */
#include "consume/limits.h"

#include "consume/batching.h"
#include "consume/consumer.h"
#include "dispatch/dispatch.h"
#include "events/gather.h"
#include "produce/ack.h"
#include "stage/above.h"
#include "stage/run_queue.h"

/* The limits of a subscription that is open on this side; NULL when out of memory. */
static struct sh__limits *limits_of(sh_stage *stage, sh_subscription *sub)
{
    if (sub->in.limits)
        return sub->in.limits;
    struct sh__limits *limits = sh_malloc(sizeof *limits);
    if (!limits)
        return NULL;
    *limits = (struct sh__limits){.next = stage->limits, .sub = sh_subscription_ref(sub)};
    stage->limits = limits;
    sub->in.limits = limits;
    return limits;
}

static void limits_free(sh_stage *stage, struct sh__limits *limits)
{
    sh__limits_fini(stage, limits);
    struct sh__message *message;
    while ((message = sh__mailbox_pop(&limits->held)))
        sh__message_free(stage->worker, message);
    limits->sub->in.limits = NULL;
    sh_subscription_unref(limits->sub);
    sh_free(limits);
}

/* -- shutting and opening -------------------------------------------------------------- */

/* The events left go to the head of the held messages. While handle_events runs, the message
 * itself stays: the end of the callback needs it. */
void sh__limits_hold_feed(sh_stage *stage, struct sh__limits *limits)
{
    if (stage->feed.sub != limits->sub || stage->feed.rest.n == 0)
        return;
    struct sh__message *message = sh__message_to(stage, limits->sub, SH__EVENTS);
    if (!message)
        return;
    message->events.is_received = true;
    message->events.delivery = stage->feed.deliveries;
    message->batch = stage->feed.rest;
    stage->feed.rest = (sh_batch){0};
    sh__mailbox_push_first(&limits->held, message);
    if (stage->now.callback != SH__CALLBACK_EVENTS)
        sh__consumer_drop_feed(stage);
}

void sh__limits_open(sh_stage *stage, struct sh__limits *limits)
{
    if (sh__limits_are_shut(limits))
        return;
    int64_t unasked = limits->unasked;
    limits->unasked = 0;
    if (unasked > 0)
        sh__consumer_ask(stage, limits->sub, unasked);
    bool queues = stage->kind == SH_PRODUCER_CONSUMER;
    sh__mailbox_splice_front(queues ? &stage->input : &stage->mailbox, &limits->held);
    if (limits->gather && limits->gather->n > 0)
        sh__limits_wait_for_batch(stage, limits);
    sh__worker_schedule(stage->worker, stage);
}

static void pause_one(sh_stage *stage, sh_subscription *sub)
{
    if (stage->is_draining || stage->phase >= SH__PHASE_LEAVING)
        return;
    struct sh__limits *limits = limits_of(stage, sub);
    if (!limits || limits->is_parting)
        return;
    limits->is_paused = true;
    sh__limits_hold_feed(stage, limits);
}

static void resume_one(sh_stage *stage, struct sh__limits *limits)
{
    if (!limits || !limits->is_paused)
        return;
    limits->is_paused = false;
    sh__limits_open(stage, limits);
}

/* From here on only the producer's CANCEL ends the subscription, after all events it sent; that
 * does not end the consumer. */
void sh__limits_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason)
{
    struct sh__limits *limits = limits_of(stage, sub);
    if (limits && limits->is_parting) {
        sh_error_unref(reason);
        return;
    }
    sub->in.cancel = SH_CANCEL_TEMPORARY;
    if (limits)
        limits->is_parting = true;
    resume_one(stage, limits);
    sh_subscription_cancel(stage->worker, sub, reason);
}

void sh__limits_steer(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (sub->in.open && message->steer.what == SH__STEER_PAUSE) {
        pause_one(stage, sub);
    } else if (sub->in.open && message->steer.what == SH__STEER_UNSUBSCRIBE) {
        sh__limits_unsubscribe(stage, sub, message->error);
        message->error = NULL;
    } else if (message->steer.what != SH__STEER_PAUSE) {
        /* closed: a producer_consumer may hold its end */
        resume_one(stage, sub->in.limits);
    }
    sh__message_free(stage->worker, message);
}

/* -- on the way to handle_events ------------------------------------------------------- */

bool sh__limits_shut_out(const struct sh__message *message)
{
    return message->sub && message->sub->in.limits &&
           sh__limits_are_shut(message->sub->in.limits);
}

void sh__limits_hold(struct sh__message *message)
{
    sh__mailbox_push(&message->sub->in.limits->held, message);
}

bool sh__limits_take(sh_stage *stage, struct sh__message *message)
{
    struct sh__limits *limits = message->sub->in.limits;
    if (stage->kind == SH_PRODUCER_CONSUMER)
        return limits->gather && sh__limits_gather(stage, limits, message);
    if (sh__limits_are_shut(limits)) {
        sh__limits_hold(message);
        return true;
    }
    if (message->kind == SH__EVENTS && message->events.is_received) {
        sh__consumer_feed(stage, message);
        return true;
    }
    return limits->gather && sh__limits_gather(stage, limits, message);
}

bool sh__limits_may_ask(struct sh__limits *limits, int64_t n)
{
    if (limits->is_paused && !limits->is_parting)
        limits->unasked += sh_demand_room(limits->unasked, n);
    return !limits->is_paused && !limits->is_parting;
}

int sh__limits_start(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts)
{
    if (opts->rate.events == 0 && opts->batch.size == 0)
        return SH_OK;
    struct sh__limits *limits = limits_of(stage, sub);
    int status = limits ? sh__limits_configure(limits, opts) : SH_ENOMEM;
    if (limits && status < 0)
        sh__limits_close(stage, sub);
    return status;
}

void sh__limits_close(sh_stage *stage, sh_subscription *sub)
{
    struct sh__limits **place = &stage->limits;
    while (*place && (*place)->sub != sub)
        place = &(*place)->next;
    struct sh__limits *limits = *place;
    if (!limits)
        return;
    *place = limits->next;
    limits_free(stage, limits);
}

/* -- all limits of a stage ------------------------------------------------------------- */

void sh__limits_resume_all(sh_stage *stage)
{
    for (struct sh__limits *limits = stage->limits; limits; limits = limits->next) {
        resume_one(stage, limits);
        sh__limits_flush(stage, limits);
    }
}

bool sh__limits_hold_any(const sh_stage *stage)
{
    for (const struct sh__limits *limits = stage->limits; limits; limits = limits->next)
        if (limits->held.head)
            return true;
    return false;
}

bool sh__limits_gather_any(const sh_stage *stage)
{
    for (const struct sh__limits *limits = stage->limits; limits; limits = limits->next)
        if (limits->gather && limits->gather->n > 0)
            return true;
    return false;
}

uint64_t sh__limits_held_events(const sh_stage *stage)
{
    uint64_t n = 0;
    for (const struct sh__limits *limits = stage->limits; limits; limits = limits->next) {
        for (const struct sh__message *held = limits->held.head; held; held = held->next)
            if (held->kind == SH__EVENTS && !held->sub->in.ack)
                n += held->batch.n;
        if (limits->gather && !limits->sub->in.ack)
            n += (uint64_t)limits->gather->n;
    }
    return n;
}

void sh__limits_free_all(sh_stage *stage)
{
    struct sh__limits *limits;
    while ((limits = stage->limits)) {
        sh__consumer_last_acks(stage, &limits->held);
        stage->limits = limits->next;
        limits_free(stage, limits);
    }
}

/* -- public ---------------------------------------------------------------------------- */

static int steer(sh_worker *worker, sh_subscription *sub, enum sh__steer what,
                 sh_error *reason)
{
    struct sh__message *message = sh__message_new(worker, SH__STEER, sub->consumer);
    if (!message) {
        sh_error_unref(reason);
        return SH_ENOMEM;
    }
    sh__message_name(message, sub);
    message->steer.what = what;
    message->error = reason;
    return sh__send(worker, message, NULL);
}

int sh_subscription_pause(sh_worker *worker, sh_subscription *sub)
{
    return steer(worker, sub, SH__STEER_PAUSE, NULL);
}

int sh_subscription_resume(sh_worker *worker, sh_subscription *sub)
{
    return steer(worker, sub, SH__STEER_RESUME, NULL);
}

int sh_subscription_unsubscribe(sh_worker *worker, sh_subscription *sub, sh_error *reason)
{
    return steer(worker, sub, SH__STEER_UNSUBSCRIBE, reason);
}

/* SPDX-License-Identifier: MIT
 *
 * The rate and the batch size of a subscription, on the consumer's side, where handle_events is
 * called, for any dispatcher and any path of the events.
 *
 * Events are gathered until a batch is whole, and then become messages of their own that are
 * handled next. Gathered events are older than all messages of the subscription that have not
 * been received, and younger than those that have. */
#include "consume/batching.h"

#include "dispatch/rate.h"
#include "events/gather.h"
#include "stage/above.h"
#include "stage/clock.h"
#include "stage/ledger.h"
#include "stage/run_queue.h"
#include "stage/timer.h"

static const uint64_t ns_per_ms = 1000000;

int sh__limits_configure(struct sh__limits *limits, const sh_subscribe_opts *opts)
{
    struct sh__half_in *in = &limits->sub->in;
    int64_t size = opts->batch.size;
    if (opts->rate.events > 0) {
        if (!(limits->rate = sh_malloc(sizeof *limits->rate)))
            return SH_ENOMEM;
        sh__rate_init(limits->rate, opts->rate.events, opts->rate.per_ms,
                      size > 1 ? size : 1);
    }
    if (size > 0) {
        if (!(limits->gather = sh_malloc(sizeof *limits->gather)))
            return SH_ENOMEM;
        sh__gather_init(limits->gather, size);
        limits->timeout_ms = opts->batch.timeout_ms;
        if (in->min < size - 1) /* else a batch might never become whole */
            in->min = size - 1;
    }
    return SH_OK;
}

void sh__limits_fini(sh_stage *stage, struct sh__limits *limits)
{
    if (limits->rate_timer)
        sh_timer_cancel(stage, limits->rate_timer);
    if (limits->batch_timer)
        sh_timer_cancel(stage, limits->batch_timer);
    if (limits->gather)
        sh__gather_fini(limits->gather);
    sh_free(limits->gather);
    sh_free(limits->rate);
}

static uint64_t to_ms(uint64_t ns)
{
    return (ns + ns_per_ms - 1) / ns_per_ms;
}

/* -- rate ------------------------------------------------------------------------------ */

static void throttle(sh_stage *stage, struct sh__limits *limits, uint64_t now,
                     int64_t wanted)
{
    uint64_t ms = to_ms(sh__rate_wait_ns(limits->rate, now, wanted));
    if (sh__timer_for_limits(stage, ms, &limits->rate_timer) < 0)
        return; /* it is tried again at once */
    limits->is_throttled = true;
    sh__limits_hold_feed(stage, limits);
}

int64_t sh__limits_allow(sh_stage *stage, struct sh__limits *limits, int64_t usual)
{
    int64_t n = limits->gather ? limits->gather->size : usual;
    if (!limits->rate)
        return n;
    if (n > stage->feed.rest.n)
        n = stage->feed.rest.n;
    uint64_t now = sh__clock_now(stage->worker->host);
    int64_t allowed = sh__rate_allowed(limits->rate, now);
    int64_t wanted = n < limits->rate->portion ? n : limits->rate->portion;
    if (allowed < wanted) {
        throttle(stage, limits, now, wanted);
        return 0;
    }
    if (n > allowed)
        n = allowed;
    sh__rate_take(limits->rate, now, n);
    return n;
}

/* -- batches --------------------------------------------------------------------------- */

void sh__limits_wait_for_batch(sh_stage *stage, struct sh__limits *limits)
{
    if (limits->batch_timer)
        return;
    uint64_t due = limits->begun_ns + limits->timeout_ms * ns_per_ms;
    uint64_t now = sh__clock_now(stage->worker->host);
    sh__timer_for_limits(stage, due > now ? to_ms(due - now) : 0, &limits->batch_timer);
}

/* Puts n gathered events into messages; without memory, events are lost, and counted. */
static void take(sh_stage *stage, struct sh__limits *limits, int64_t n,
                 struct sh__mailbox *out)
{
    while (n > 0) {
        sh_batch batch;
        struct sh__message *message = sh__message_to(stage, limits->sub, SH__EVENTS);
        if (!message || sh__gather_take(limits->gather, stage->worker, n, &batch) < 0) {
            sh__worker_count_unfinished(stage->worker, stage, (uint64_t)limits->gather->n,
                                        "out of memory");
            sh__gather_fini(limits->gather);
            if (message)
                sh__message_free(stage->worker, message);
            return;
        }
        message->batch = batch;
        message->events.is_received = true;
        message->events.delivery = limits->deliveries;
        n -= batch.n;
        sh__mailbox_push(out, message);
    }
    if (limits->gather->n == 0)
        limits->deliveries = 0;
}

/* Puts messages after those of the subscription that have been received. */
static void insert(struct sh__mailbox *box, const sh_subscription *sub,
                   struct sh__mailbox *messages)
{
    struct sh__message *behind = NULL;
    for (struct sh__message *each = box->head; each; each = each->next)
        if (each->kind == SH__EVENTS && each->events.is_received && each->sub == sub)
            behind = each;
    if (!behind || !messages->head) {
        sh__mailbox_splice_front(box, messages);
        return;
    }
    messages->tail->next = behind->next;
    behind->next = messages->head;
    if (box->tail == behind)
        box->tail = messages->tail;
    box->length += messages->length;
}

/* Lets n gathered events be handled before all messages that have not been received. */
static void let_go(sh_stage *stage, struct sh__limits *limits, int64_t n)
{
    struct sh__mailbox messages = {0};
    take(stage, limits, n, &messages);
    struct sh__message *message;
    if (stage->kind != SH_PRODUCER_CONSUMER)
        insert(&stage->mailbox, limits->sub, &messages);
    else
        while ((message = sh__mailbox_pop(&messages)))
            sh__mailbox_push(&stage->input, message);
    sh__worker_schedule(stage->worker, stage);
}

/* A producer_consumer holds messages at its input queue, where this one goes. */
void sh__limits_flush(sh_stage *stage, struct sh__limits *limits)
{
    bool holds = sh__limits_are_shut(limits) && stage->kind != SH_PRODUCER_CONSUMER;
    if (limits->gather && limits->gather->n > 0 && !holds)
        let_go(stage, limits, limits->gather->n);
}

static void gather(sh_stage *stage, struct sh__limits *limits, struct sh__message *message)
{
    sh_subscription_stats *stats = &limits->sub->in.stats;
    stats->messages++;
    stats->events += message->batch.n;
    if (message->events.delivery > limits->deliveries)
        limits->deliveries = message->events.delivery;
    sh_batch batch = message->batch;
    message->batch = (sh_batch){0};
    sh__message_free(stage->worker, message);
    if (batch.n == 0) {
        sh_batch_unref(batch);
    } else if (sh__gather_add(limits->gather, batch) < 0) {
        sh__worker_count_unfinished(stage->worker, stage, batch.n, "out of memory");
        sh_batch_unref(batch);
    }
}

bool sh__limits_gather(sh_stage *stage, struct sh__limits *limits,
                       struct sh__message *message)
{
    bool had_any = limits->gather->n > 0;
    if (message->kind != SH__EVENTS) { /* goes after the events sent before it */
        if (!had_any)
            return false;
        sh__mailbox_push_first(&stage->mailbox, message);
        let_go(stage, limits, limits->gather->n);
        return true;
    }
    gather(stage, limits, message);
    int64_t n = stage->phase == SH__PHASE_LEAVING ? limits->gather->n
                                                  : sh__gather_whole(limits->gather);
    if (n > 0 || !had_any)
        limits->begun_ns = sh__clock_now(stage->worker->host);
    if (n > 0)
        let_go(stage, limits, n);
    if (limits->gather->n > 0)
        sh__limits_wait_for_batch(stage, limits);
    return true;
}

/* -- timers ---------------------------------------------------------------------------- */

/* One timer serves many batches: it checks whether the events gathered now are due. */
static void batch_is_due(sh_stage *stage, struct sh__limits *limits)
{
    limits->batch_timer = 0;
    if (limits->gather->n == 0)
        return;
    if (sh__clock_now(stage->worker->host) <
        limits->begun_ns + limits->timeout_ms * ns_per_ms)
        sh__limits_wait_for_batch(stage, limits);
    else
        sh__limits_flush(stage, limits);
}

void sh__limits_wake(sh_stage *stage, uint64_t timer)
{
    for (struct sh__limits *limits = stage->limits; limits; limits = limits->next) {
        if (limits->rate_timer == timer) {
            limits->rate_timer = 0;
            limits->is_throttled = false;
            sh__limits_open(stage, limits);
            return;
        }
        if (limits->batch_timer == timer) {
            batch_is_due(stage, limits);
            return;
        }
    }
}

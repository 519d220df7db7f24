/* SPDX-License-Identifier: MIT
 *
 * The producer side: subscribers and their asks, and the demand mode. Events are handled in
 * emit.c. */
#include "produce/producer.h"

#include <string.h>

#include "base/alloc.h"
#include "dispatch/dispatch.h"
#include "produce/accumulate.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/emit.h"
#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/log.h"
#include "stage/run_queue.h"
#include "stage/timer.h"

struct sh__producer *sh__producer_new(void)
{
    return sh__calloc(1, sizeof(struct sh__producer));
}

void sh__producer_free(struct sh__producer *out)
{
    struct sh__accumulated *item;
    while ((item = sh__accumulated_pop(out)))
        sh__accumulated_free(item);
    if (out->dispatcher) {
        out->dispatcher->fini(out->dispatcher_state);
        sh_free(out->dispatcher_state);
    }
    sh__buffer_fini(&out->buffer);
    sh__combine_free(out);
    sh_free(out);
}

/* -- subscribe ------------------------------------------------------------------------- */

static void send_cancel(sh_stage *stage, sh_subscription *sub, sh_error *reason)
{
    struct sh__message *message = sh__message_to(stage, sub, SH__CANCEL);
    if (!message)
        return;
    message->error = reason ? sh_error_ref(reason) : NULL;
    stage->stats.messages_out++;
    sh__send(stage->worker, message, NULL);
}

static void send_cancel_named(sh_stage *stage, sh_subscription *sub, const char *name,
                              const char *why)
{
    sh_error *reason = sh_error_fmt(SH_REASON_CUSTOM, 0, name, "%s", why);
    send_cancel(stage, sub, reason);
    sh_error_unref(reason);
}

/* Handles SUBSCRIBE: handle_subscribe comes first; then, below it on the agenda, the dispatcher. A
 * resubscription cancels the old subscription before that. */
static void on_subscribe(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (sub->out.open) {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_DUPLICATED_SUBSCRIPTION, stage,
                NULL, "%s subscribed twice with the same subscription",
                sh__stage_label(sub->consumer));
        send_cancel_named(stage, sub, "duplicated_subscription",
                          "the subscription exists already");
        sh__message_free(stage->worker, message);
        return;
    }
    struct sh__task task = {.kind = SH__TASK_SUBSCRIBE_OUT,
                            .sub = sh_subscription_ref(sub),
                            .subscribe = message->subscribe};
    message->subscribe = NULL;
    if (sub->consumer != NULL)
        sh__subscription_open_out(sub);
    sh__stage_push_task(stage, task);
    sh_subscription *current = task.subscribe ? task.subscribe->opts.current : NULL;
    if (current && current->producer == stage && current->out.open) {
        sh_error *reason = task.subscribe->opts.current_reason;
        task.subscribe->opts.current_reason = NULL;
        sh__producer_cancel(stage, current, SH_ENDED_CANCEL, reason, SH__TELL_CONSUMER);
    }
    sh__message_free(stage->worker, message);
}

static void refuse(sh_stage *stage, sh_subscription *sub, sh_error *error)
{
    const sh_error_fields *why = sh_error_get(error);
    bool already = why->name && strcmp(why->name, "already_subscribed") == 0;
    sh__log(stage->worker->host, SH_LOG_ERROR,
            already ? SH_LOG_ALREADY_SUBSCRIBED : SH_LOG_SUBSCRIPTION_REFUSED, stage, error,
            "refused %s: %s", sh__stage_label(sub->consumer),
            why->message ? why->message : why->name);
    sh__producer_cancel(stage, sub, SH_ENDED_CANCEL, error, SH__TELL_CONSUMER);
}

/* The first given option that the dispatcher does not read; NULL if there is none. */
static const char *ignored_option(const sh_subscribe_opts *opts, unsigned reads)
{
    return opts->partition && !(reads & SH_READS_PARTITION)      ? "partition"
           : opts->selector && !(reads & SH_READS_SELECTOR)      ? "selector"
           : opts->weight != 0 && !(reads & SH_READS_WEIGHT)     ? "weight"
           : opts->priority != 0 && !(reads & SH_READS_PRIORITY) ? "priority"
                                                                 : NULL;
}

/* An error if the options are wrong for this dispatcher, else NULL. */
static sh_error *check_options(const sh_subscribe_opts *opts,
                               const struct sh__producer *out)
{
    const sh_dispatcher_ops *dispatcher = out->dispatcher;
    if (opts->ack && out->combine)
        return sh_error_fmt(
            SH_REASON_CUSTOM, SH_EBADOPT, "ack_impossible",
            "option \"ack\": the producer combines its events: it loses what "
            "is in its accumulator if it dies, so there is no "
            "acknowledgement");
    if (opts->ack && dispatcher->shares_events)
        return sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "ack_impossible",
                            "option \"ack\": the dispatcher \"%s\" gives every event to "
                            "several consumers; there is no acknowledgement",
                            dispatcher->name);
    const char *ignored = ignored_option(opts, dispatcher->reads);
    if (ignored)
        return sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "option_ignored",
                            "option \"%s\" means nothing to the dispatcher \"%s\"", ignored,
                            dispatcher->name);
    return NULL;
}

void sh__producer_subscribed(sh_stage *stage, struct sh__task *task)
{
    sh_subscription *sub = task->sub;
    if (!sub->out.open)
        return; /* cancelled while handle_subscribe waited */
    struct sh__producer *out = stage->out;
    sh_error *error = check_options(&task->subscribe->opts, out);
    if (error) {
        refuse(stage, sub, error);
        return;
    }
    if (out->dispatcher->subscribe(out->dispatcher_state, sub, &task->subscribe->opts,
                                   &error) < 0) {
        if (!error)
            error = sh_error_fmt(SH_REASON_CUSTOM, SH_ENOMEM, NULL, "%s",
                                 sh_strerror(SH_ENOMEM));
        refuse(stage, sub, error);
        return;
    }
    sub->out.dispatching = true;
    if (task->subscribe->opts.ack && sh__ack_open(stage, sub, &task->subscribe->opts) < 0) {
        refuse(
            stage, sub,
            sh_error_fmt(SH_REASON_CUSTOM, SH_ENOMEM, NULL, "%s", sh_strerror(SH_ENOMEM)));
        return;
    }
    out->has_had_consumers = true;
    if (out->n_gone > 0)
        out->n_gone--;
    sh__settle(stage);
}

/* -- cancel ---------------------------------------------------------------------------- */

/* The dispatcher forgets the consumer before handle_cancel can emit anything. */
void sh__producer_cancel(sh_stage *stage, sh_subscription *sub, sh_ended how,
                         sh_error *reason, enum sh__tell tell)
{
    struct sh__producer *out = stage->out;
    sh_subscription_ref(sub);
    sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SETTLE});
    if (sub->out.dispatching) {
        if (sub->out.declines)
            out->has_declined = true;
        else
            out->n_gone++;
        sub->out.dispatching = false;
        out->dispatch.base.expects_another =
            !sub->out.declines &&
            (stage->await_consumers ||
             (sub->out.ack && how == SH_ENDED_DOWN && !sh_error_is_clean(reason)));
        out->dispatcher->cancel(out->dispatcher_state, sub, &out->dispatch.base);
    }
    sh__subscription_close_out(sub);
    if (tell == SH__TELL_CONSUMER)
        send_cancel(stage, sub, reason);
    sh__stage_push_task(
        stage, (struct sh__task){
                   .kind = SH__TASK_CANCEL_OUT, .how = how, .sub = sub, .error = reason});
    if (!sh__link_is_empty(&stage->consumers))
        return;
    if (out->discard_when_no_consumers)
        sh__discard_buffer(stage);
    if (stage->is_draining) /* its producers would wait for it forever */
        sh__stage_push_task_last(
            stage, (struct sh__task){.kind = SH__TASK_STOP,
                                     .error = sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL,
                                                           "the host is draining")});
}

bool sh__producer_is_declined(const sh_stage *stage)
{
    const struct sh__producer *out = stage->out;
    return out && out->has_declined && out->n_gone == 0 &&
           sh__link_is_empty(&stage->consumers);
}

/* A dispatcher's queues may be for present consumers, or for ones that never came. */
uint64_t sh__producer_declined(const sh_stage *stage)
{
    const struct sh__producer *out = stage->out;
    if (!out->has_declined || out->n_gone > 0)
        return 0;
    int64_t n = 0;
    if (sh__link_is_empty(&stage->consumers))
        n = out->buffer.count + out->accumulated_events;
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    if (queues)
        n += queues->held(out->dispatcher_state, SH_HELD_ALL) -
             queues->held(out->dispatcher_state, SH_HELD_EXPECTED);
    return n > 0 ? (uint64_t)n : 0;
}

static void on_cancel_request(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (!sub->out.open || sub->producer != stage) {
        send_cancel_named(stage, sub, "unknown_subscription",
                          "the producer does not know the subscription");
    } else {
        sh_error *reason = message->error;
        message->error = NULL;
        sh__producer_cancel(stage, sub, SH_ENDED_CANCEL, reason, SH__TELL_CONSUMER);
    }
    sh__message_free(stage->worker, message);
}

static void on_consumer_down(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    sub->out.declines = message->consumer_down.declines;
    if (sub->out.open && sub->producer == stage)
        sh__producer_cancel(stage, sub, SH_ENDED_DOWN, sh_error_ref(message->error),
                            SH__TELL_NOBODY);
    if (sub->out.ack) {
        sh__ack_handled(stage, sub, message->consumer_down.handled);
        sh__ack_close(stage, sub, message->consumer_down.begun, message->error);
    }
    if (message->consumer_down.ends_producer && sh__link_is_empty(&stage->consumers)) {
        stage->ends_producers = true;
        sh__stage_push_task_last(stage, (struct sh__task){.kind = SH__TASK_STOP});
    }
    sh__message_free(stage->worker, message);
}

/* -- ask ------------------------------------------------------------------------------- */

static void ask(sh_stage *stage, sh_subscription *sub, int64_t n)
{
    struct sh__producer *out = stage->out;
    stage->stats.asks_in++;
    sh__demand_count(&stage->stats.demand_in, n);
    sub->out.stats.asks++;
    n = sh_demand_room(sub->out.stats.outstanding, n);
    if (sh__unlikely(n == 0))
        return;
    sub->out.stats.outstanding += n;
    if (out->lane && sh__lane_takes_ask(out->lane, sub, n))
        out->lane->credit += (uint64_t)n;
    else
        out->dispatcher->ask(out->dispatcher_state, sub, n, &out->dispatch.base);
    sh__settle(stage);
}

bool sh__producer_offer_ask(sh_stage *stage, sh_subscription *sub, int64_t n)
{
    const struct sh__producer *out = stage->out;
    if (!sub->out.dispatching || !sh__stage_is_idle(stage) || out->buffer.count > 0 ||
        out->dispatcher->queues)
        return false;
    stage->stats.messages_in++;
    ask(stage, sub, n);
    if (stage->input.head) /* the input may have waited for credit */
        sh__worker_schedule(stage->worker, stage);
    return true;
}

static void on_ask(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (sh__unlikely(sub->out.ack != NULL))
        sh__ack_handled(stage, sub, message->ask.handled);
    if (sh__unlikely(!sub->out.dispatching || sub->producer != stage))
        send_cancel_named(stage, sub, "unknown_subscription",
                          "the producer does not know the subscription");
    else if (message->ask.n > 0)
        ask(stage, sub, message->ask.n);
    sh__message_free(stage->worker, message);
}

/* By kind: all messages of the route PRODUCER. */
static void (*const takers[])(sh_stage *stage, struct sh__message *message) = {
    [SH__SUBSCRIBE] = on_subscribe,
    [SH__ASK] = on_ask,
    [SH__ACK] = sh__ack_receive,
    [SH__CANCEL_REQUEST] = on_cancel_request,
    [SH__CONSUMER_DOWN] = on_consumer_down,
};

void sh__producer_message(sh_stage *stage, struct sh__message *message)
{
    takers[message->kind](stage, message);
}

/* -- polling --------------------------------------------------------------------------- */

void sh__producer_start_polling(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    if (!out->polling_timer)
        sh__timer_poll(stage, out->polling_ms, &out->polling_timer);
}

bool sh__producer_poll(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    if (out->owed <= 0 || out->is_accumulating || stage->phase != SH__PHASE_RUNNING) {
        out->polling_timer = 0;
        return false;
    }
    if (!stage->is_waiting && stage->n_tasks == 0)
        sh__stage_push_task(stage,
                            (struct sh__task){.kind = SH__TASK_DEMAND, .n = out->owed});
    return true;
}

/* -- demand mode ----------------------------------------------------------------------- */

void sh__producer_set_demand(sh_stage *stage, sh_demand_mode mode)
{
    struct sh__producer *out = stage->out;
    if (mode == SH_DEMAND_ACCUMULATE) {
        out->is_accumulating = true;
    } else if (out->is_accumulating) {
        out->is_accumulating = false;
        sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_REPLAY});
    }
}

/* Replays each item as if it came now: demands one by one, never summed. */
void sh__producer_replay(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    struct sh__accumulated *item = sh__accumulated_pop(out);
    if (!item) {
        sh__settle(stage);
        return;
    }
    sh__stage_push_task(stage,
                        (struct sh__task){.kind = out->accumulated_head ? SH__TASK_REPLAY
                                                                        : SH__TASK_SETTLE});
    if (item->demand > 0) {
        sh__serve(stage, item->demand);
    } else if (item->marker) {
        sh__mark_accumulated(stage, item->marker, item->is_older);
        item->marker = NULL;
    } else if (item->is_older) {
        sh__emit_buffered(stage, item->events, item->delivery);
        item->events = (sh_batch){0};
    } else {
        sh__emit_accumulated(stage, item->events);
        item->events = (sh_batch){0};
    }
    sh__accumulated_free(item);
}

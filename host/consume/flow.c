/* SPDX-License-Identifier: MIT */
#include "consume/flow.h"

#include "events/gather.h"
#include "produce/ack.h"
#include "stage/stage.h"
#include "work/host.h"

/* The flow of a subscription that is open on this side; NULL when out of memory. */
static struct sh__flow *flow_of(sh_stage *stage, sh_subscription *sub)
{
    if (sub->in.flow)
        return sub->in.flow;
    struct sh__flow *flow = sh_malloc(sizeof *flow);
    if (!flow)
        return NULL;
    *flow = (struct sh__flow){.next = stage->flows, .sub = sh_subscription_ref(sub)};
    stage->flows = flow;
    sub->in.flow = flow;
    return flow;
}

static void flow_free(sh_stage *stage, struct sh__flow *flow)
{
    sh__flow_drop_limits(stage, flow);
    struct sh__message *message;
    while ((message = sh__mailbox_pop(&flow->held)))
        sh__message_free(stage->worker, message);
    flow->sub->in.flow = NULL;
    sh_subscription_unref(flow->sub);
    sh_free(flow);
}

/* -- shutting and opening -------------------------------------------------------------- */

/* What is left of the message that is being fed to handle_events goes to the head of what is
 * held. While handle_events runs, the message itself stays: the end of the callback needs it. */
void sh__flow_hold_feed(sh_stage *stage, struct sh__flow *flow)
{
    if (stage->feed.sub != flow->sub || stage->feed.rest.n == 0)
        return;
    struct sh__message *message = sh__message_new(stage->worker, SH__EVENTS, stage);
    if (!message)
        return; /* then it is handled, not lost */
    sh__message_name(message, flow->sub);
    message->what = SH__RECEIVED;
    message->n = stage->feed.deliveries;
    message->batch = stage->feed.rest;
    stage->feed.rest = (sh_batch){0};
    sh__mailbox_unshift(&flow->held, message);
    if (stage->now.callback != SH__CALLBACK_EVENTS)
        sh__consumer_drop_feed(stage);
}

/* Sends what it has earned meanwhile and lets what it holds be handled. */
void sh__flow_open(sh_stage *stage, struct sh__flow *flow)
{
    if (sh__flow_shuts(flow))
        return;
    int64_t unasked = flow->unasked;
    flow->unasked = 0;
    if (unasked > 0)
        sh__consumer_ask(stage, flow->sub, unasked);
    bool queues = stage->kind == SH_PRODUCER_CONSUMER;
    sh__mailbox_splice_front(queues ? &stage->input : &stage->mailbox, &flow->held);
    if (flow->gather && flow->gather->n > 0)
        sh__flow_wait_for_batch(stage, flow);
    sh__worker_schedule(stage->worker, stage);
}

static void pause_flow(sh_stage *stage, sh_subscription *sub)
{
    if (stage->is_draining || stage->phase >= SH__PHASE_LEAVING)
        return;
    struct sh__flow *flow = flow_of(stage, sub);
    if (!flow || flow->is_parting)
        return;
    flow->is_paused = true;
    sh__flow_hold_feed(stage, flow);
}

static void resume_flow(sh_stage *stage, struct sh__flow *flow)
{
    if (!flow || !flow->is_paused)
        return;
    flow->is_paused = false;
    sh__flow_open(stage, flow);
}

/* From here on only the producer's CANCEL ends it, behind all the events it has sent; that
 * does not end the consumer. */
void sh__flow_unsubscribe(sh_stage *stage, sh_subscription *sub, sh_error *reason)
{
    struct sh__flow *flow = flow_of(stage, sub);
    if (flow && flow->is_parting) {
        sh_error_unref(reason);
        return;
    }
    sub->in.cancel = SH_CANCEL_TEMPORARY;
    if (flow)
        flow->is_parting = true;
    resume_flow(stage, flow);
    sh_subscription_cancel(stage->worker, sub, reason);
}

void sh__flow_steer(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (sub->in.open && message->what == SH__STEER_PAUSE) {
        pause_flow(stage, sub);
    } else if (sub->in.open && message->what == SH__STEER_UNSUBSCRIBE) {
        sh__flow_unsubscribe(stage, sub, message->error);
        message->error = NULL;
    } else if (message->what !=
               SH__STEER_PAUSE) { /* its end may be among what a producer_consumer holds */
        resume_flow(stage, sub->in.flow);
    }
    sh__message_free(stage->worker, message);
}

/* -- on the way to handle_events ------------------------------------------------------- */

bool sh__flow_is_shut(const struct sh__message *message)
{
    return message->sub && message->sub->in.flow && sh__flow_shuts(message->sub->in.flow);
}

void sh__flow_hold(struct sh__message *message)
{
    sh__mailbox_push(&message->sub->in.flow->held, message);
}

bool sh__flow_takes(sh_stage *stage, struct sh__message *message)
{
    struct sh__flow *flow = message->sub->in.flow;
    if (stage->kind == SH_PRODUCER_CONSUMER)
        return flow->gather && sh__flow_gathers(stage, flow, message);
    if (sh__flow_shuts(flow)) {
        sh__flow_hold(message);
        return true;
    }
    if (message->kind == SH__EVENTS && message->what == SH__RECEIVED) {
        sh__consumer_feed(stage, message);
        return true;
    }
    return flow->gather && sh__flow_gathers(stage, flow, message);
}

bool sh__flow_may_ask(struct sh__flow *flow, int64_t n)
{
    if (flow->is_paused && !flow->is_parting)
        flow->unasked += n;
    return !flow->is_paused && !flow->is_parting;
}

int sh__flow_start(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts)
{
    if (opts->rate.events == 0 && opts->batch.size == 0)
        return SH_OK;
    struct sh__flow *flow = flow_of(stage, sub);
    int status = flow ? sh__flow_set_limits(flow, opts) : SH_ENOMEM;
    if (flow && status < 0)
        sh__flow_close(stage, sub);
    return status;
}

void sh__flow_close(sh_stage *stage, sh_subscription *sub)
{
    struct sh__flow **place = &stage->flows;
    while (*place && (*place)->sub != sub)
        place = &(*place)->next;
    struct sh__flow *flow = *place;
    if (!flow)
        return;
    *place = flow->next;
    flow_free(stage, flow);
}

/* -- all of a stage -------------------------------------------------------------------- */

void sh__flows_resume(sh_stage *stage)
{
    for (struct sh__flow *flow = stage->flows; flow; flow = flow->next) {
        resume_flow(stage, flow);
        sh__flow_flush(stage, flow);
    }
}

bool sh__flows_hold_any(const sh_stage *stage)
{
    for (const struct sh__flow *flow = stage->flows; flow; flow = flow->next)
        if (flow->held.head)
            return true;
    return false;
}

bool sh__flows_gather_any(const sh_stage *stage)
{
    for (const struct sh__flow *flow = stage->flows; flow; flow = flow->next)
        if (flow->gather && flow->gather->n > 0)
            return true;
    return false;
}

uint64_t sh__flows_held_events(const sh_stage *stage)
{
    uint64_t n = 0;
    for (const struct sh__flow *flow = stage->flows; flow; flow = flow->next) {
        for (const struct sh__message *held = flow->held.head; held; held = held->next)
            if (held->kind == SH__EVENTS && !held->sub->in.ack)
                n += held->batch.n;
        if (flow->gather && !flow->sub->in.ack)
            n += (uint64_t)flow->gather->n;
    }
    return n;
}

void sh__flows_free(sh_stage *stage)
{
    struct sh__flow *flow;
    while ((flow = stage->flows)) {
        sh__consumer_last_acks(stage, &flow->held);
        stage->flows = flow->next;
        flow_free(stage, flow);
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
    message->what = (uint8_t)what;
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

/* SPDX-License-Identifier: MIT
 *
 * Information about a stage. */
#include "life/stats.h"

#include <stdio.h>

#include "consume/limits.h"
#include "consume/recovery.h"
#include "life/above.h"
#include "life/callback.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/emit.h"
#include "produce/producer.h"
#include "stage/clock.h"
#include "stage/log.h"
#include "stage/request.h"
#include "stage/timer.h"

static int64_t queued_events(const struct sh__mailbox *box)
{
    int64_t n = 0;
    for (const struct sh__message *message = box->head; message; message = message->next)
        if (message->kind == SH__EVENTS)
            n += (int64_t)sh__message_events(message);
    return n;
}

void sh_stage_get_stats(const sh_stage *stage, sh_stage_stats *out)
{
    const struct sh__counters *counted = &stage->stats;
    *out = (sh_stage_stats){
        .events_in = counted->events_in,
        .events_out = counted->events_out,
        .messages_in = counted->messages_in,
        .messages_out = counted->messages_out,
        .asks_in = counted->asks_in,
        .asks_out = counted->asks_out,
        .demand_in = counted->demand_in,
        .demand_out = counted->demand_out,
        .discarded_full = counted->discarded_full,
        .discarded_no_consumers = counted->discarded_no_consumers,
        .discarded_none = counted->discarded_none,
        .discarded_stopped = counted->discarded_stopped,
        .declined = counted->declined,
        .unfinished = counted->unfinished,
        .combined = counted->combined,
        .callbacks = counted->callbacks,
        .asks_answered = counted->asks_answered,
        .consumers = counted->consumers,
        .producers = counted->producers,
    };
    sh__recovery_get_stats(stage, out);
    out->callback_ns = sh__clock_ns(stage->worker->host, stage->callback_ticks);
    out->ask_ns = sh__clock_ns(stage->worker->host, counted->ask_ticks);
    out->uptime_ns = sh__clock_now(stage->worker->host) - stage->started_ns;
    out->dispatcher =
        stage->out && stage->out->dispatcher ? stage->out->dispatcher->name : NULL;
    out->queued = queued_events(&stage->mailbox) + queued_events(&stage->input) +
                  stage->feed.rest.n + (int64_t)sh__limits_held_events(stage);
    out->buffered =
        stage->out ? sh__producer_held(stage, SH_HELD_ALL) + sh__combine_held(stage->out)
                   : 0;
    out->unacknowledged = stage->out ? sh__acks_pending(stage->out) : 0;
    out->demand_owed = stage->out ? stage->out->owed : 0;
}

void sh_subscription_get_stats(const sh_subscription *sub, sh_role side,
                               sh_subscription_stats *out)
{
    *out = side == SH_ROLE_PRODUCER ? sub->out.stats : sub->in.stats;
    if (side == SH_ROLE_CONSUMER)
        out->outstanding = sub->in.outstanding;
    const sh_host *host = sub->consumer->worker->host;
    const struct sh__traffic *traffic =
        side == SH_ROLE_PRODUCER ? &sub->out.traffic : &sub->in.traffic;
    out->crossed_events = traffic->events;
    out->crossed_bytes = traffic->bytes;
    if (traffic->events == 0)
        return;
    uint64_t ns = sh__clock_ns(host, traffic->ticks);
    *(side == SH_ROLE_PRODUCER ? &out->encode_ns : &out->decode_ns) = ns;
}

void sh_stage_each_subscription(sh_stage *stage, sh_role other,
                                void (*each)(void *data, sh_subscription *sub), void *data)
{
    bool in = other == SH_ROLE_PRODUCER;
    struct sh__link *head = in ? &stage->producers : &stage->consumers;
    sh__link_each (link, head)
        each(data, in ? sh__container_of(link, sh_subscription, in.link)
                      : sh__container_of(link, sh_subscription, out.link));
}

void sh_stage_each_demand(sh_stage *stage,
                          void (*each)(void *data, sh_subscription *sub, int64_t demand,
                                       const char *partition),
                          void *data)
{
    const struct sh__producer *out = stage->out;
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    struct sh__link *head = &stage->consumers;
    sh__link_each (link, head) {
        sh_subscription *sub = sh__container_of(link, sh_subscription, out.link);
        int64_t demand = sub->out.stats.outstanding;
        if (!sub->out.dispatching || demand <= 0)
            continue;
        const char *partition = NULL;
        if (queues && queues->partition_of)
            partition = queues->partition_of(out->dispatcher_state, sub);
        each(data, sub, demand, partition);
    }
}

static const char *const kind_names[] = {
#define XX(name, word) word,
    SH_KIND_MAP(XX)
#undef XX
};

static const char *const phase_names[] = {
#define XX(name, text) text,
    SH__PHASE_MAP(XX)
#undef XX
};

/* The wait of a callback, for people: " (init waits for an answer of counter)". */
static void write_wait(const sh_stage *stage, char *out, size_t size)
{
    const sh_stage *callee = sh__pending_callee(stage);
    const char *callback = sh__callback_name(stage->now.callback);
    if (!stage->is_waiting)
        snprintf(out, size, "%s", "");
    else if (callee)
        snprintf(out, size, " (%s waits for an answer of %s)", callback,
                 sh_stage_name(callee));
    else if (sh__stage_is_sleeping(stage))
        snprintf(out, size, " (%s sleeps)", callback);
    else
        snprintf(out, size, " (%s waits)", callback);
}

void sh__stage_dump(sh_stage *stage)
{
    sh_stage_stats stats;
    sh_stage_get_stats(stage, &stats);
    char wait[96];
    write_wait(stage, wait, sizeof wait);
    unsigned long long discarded =
        stats.discarded_full + stats.discarded_no_consumers + stats.discarded_none;
    sh__log(stage->worker->host, SH_LOG_INFO, SH_LOG_USER, stage, stage->end_reason,
            "%s on worker %u is %s%s: owes %lld, buffered %lld, queued %lld, in %llu, out "
            "%llu, combined %lld, discarded %llu, skipped %llu, dead letters %llu, "
            "redelivered %llu, "
            "%u producers, %u consumers, mailbox %u, %.3f s in %llu callbacks",
            kind_names[stage->kind], stage->worker->index, phase_names[stage->phase], wait,
            (long long)stats.demand_owed, (long long)stats.buffered,
            (long long)stats.queued, (unsigned long long)stats.events_in,
            (unsigned long long)stats.events_out, (long long)stats.combined, discarded,
            (unsigned long long)stats.skipped, (unsigned long long)stats.dead_lettered,
            (unsigned long long)stats.redelivered, stats.producers, stats.consumers,
            stage->mailbox.length, (double)stats.callback_ns / 1e9,
            (unsigned long long)stats.callbacks);
}

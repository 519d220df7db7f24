/* SPDX-License-Identifier: MIT */
#include "stage/subscription.h"

#include <assert.h>

#include "stage/host_state.h"
#include "stage/stage.h"
#include "stage/traffic.h"

sh_subscription *sh__subscription_new(sh_worker *worker, sh_stage *consumer,
                                      sh_stage *producer)
{
    sh_subscription *sub = sh_malloc(sizeof *sub);
    if (!sub)
        return NULL;
    *sub = (sh_subscription){.consumer = sh_stage_ref(consumer)};
    sub->producer = producer ? sh_stage_ref(producer) : NULL;
    sub->local = producer && producer->worker == consumer->worker;
    sub->grouped = sub->local;
    sub->id = atomic_fetch_add(&worker->host->next_id, 1) + 1;
    atomic_init(&sub->refs, sub->grouped ? 2 : 1);
    sh__link_init(&sub->in.link);
    sh__link_init(&sub->out.link);
    return sub;
}

sh_subscription *sh_subscription_ref(sh_subscription *sub)
{
    atomic_fetch_add_explicit(&sub->refs, 1, memory_order_relaxed);
    return sub;
}

void sh_subscription_unref(sh_subscription *sub)
{
    if (!sub || atomic_fetch_sub_explicit(&sub->refs, 1, memory_order_acq_rel) != 1)
        return;
    sh_stage_unref(sub->consumer);
    sh_stage_unref(sub->producer);
    sh_free(sub->out.ack);
    struct sh__via *via;
    while ((via = sub->in.via)) {
        sub->in.via = via->next;
        sh_free(via);
    }
    sh_free(sub);
}

/* Drops the common reference of the messages between two stages of one worker. Before the
 * first half opens there is no such reference: a subscription that never opened ends with its
 * handle. */
void sh__subscription_ungroup(sh_subscription *sub)
{
    if (!sub->grouped || sub->in_flight || sub->in.open || sub->out.open)
        return;
    sub->grouped = false;
    sh_subscription_unref(sub);
}

void sh__subscription_open_in(sh_subscription *sub)
{
    assert(!sub->in.open);
    sh_subscription_ref(sub);
    sub->in.open = true;
    sh__link_append(&sub->consumer->producers, &sub->in.link);
    sub->consumer->stats.producers++;
}

void sh__subscription_open_out(sh_subscription *sub)
{
    assert(!sub->out.open);
    sh_subscription_ref(sub);
    sub->out.open = true;
    sh__link_append(&sub->producer->consumers, &sub->out.link);
    sub->producer->stats.consumers++;
}

void sh__subscription_close_in(sh_subscription *sub)
{
    if (!sub->in.open)
        return;
    sub->in.open = false;
    sh__traffic_end_in(sub);
    sh__link_remove(&sub->in.link);
    sub->consumer->stats.producers--;
    if (sub->local)
        sh__subscription_ungroup(sub);
    sh_subscription_unref(sub);
}

void sh__subscription_close_out(sh_subscription *sub)
{
    if (!sub->out.open)
        return;
    sub->out.open = false;
    sh__traffic_end_out(sub);
    sh__link_remove(&sub->out.link);
    sub->producer->stats.consumers--;
    if (sub->local)
        sh__subscription_ungroup(sub);
    sh_subscription_unref(sub);
}

uint64_t sh_subscription_id(const sh_subscription *sub)
{
    return sub->id;
}

sh_stage *sh_subscription_consumer(const sh_subscription *sub)
{
    return sub->consumer;
}

sh_stage *sh_subscription_producer(const sh_subscription *sub)
{
    return sub->producer;
}

void **sh_subscription_slot(sh_subscription *sub, sh_role side)
{
    return side == SH_ROLE_PRODUCER ? &sub->out.slot : &sub->in.slot;
}

void **sh_subscription_dispatch_data(sh_subscription *sub)
{
    return &sub->out.dispatch_data;
}

/* SPDX-License-Identifier: MIT
 *
 * Broadcast dispatcher: every event to every consumer, at the pace of the slowest.
 * `waiting` is the demand that all consumers have in common; the demand of a consumer beyond
 * that is its extra:
 *
 *      |<- spent ->|<- waiting ->|<- extra ->|
 *                                base        level of the consumer
 *
 * Levels are kept on a common scale, so moving `base` changes the extra of all of them at
 * once: up when the common demand grows, down when a new consumer takes the common demand
 * away. Only finding the lowest level visits all consumers; `n_at_base` says when that is
 * worth it: when it is 0 all of them have asked, and at least one event can go to each. */
#include "stagehost/dispatcher.h"

#include <assert.h>

#include "base/list.h"
#include "dispatch/dispatch.h"
#include "dispatch/stage_set.h"

struct consumer {
    struct sh__link link;
    int64_t level;
    sh_subscription *sub;
    sh_selector *selector; /* owned; NULL: all events */
};

struct broadcast {
    struct sh__link consumers; /* in order of subscription */
    uint32_t n;
    uint32_t n_at_base; /* consumers without extra */
    int64_t base;
    int64_t waiting;
    struct sh__stage_set stages; /* of the consumers */
};

static struct consumer *consumer_at(struct sh__link *link)
{
    return sh__container_of(link, struct consumer, link);
}

static int broadcast_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct broadcast *self = state;
    (void)opts;
    (void)seed;
    (void)error;
    sh__link_init(&self->consumers);
    return SH_OK;
}

static void free_consumer(struct consumer *consumer)
{
    if (consumer->selector && consumer->selector->free)
        consumer->selector->free(consumer->selector);
    sh__link_remove(&consumer->link);
    sh_free(consumer);
}

static void broadcast_fini(void *state)
{
    struct broadcast *self = state;
    while (!sh__link_is_empty(&self->consumers))
        free_consumer(consumer_at(self->consumers.next));
    sh__stage_set_fini(&self->stages);
}

/* Turns the extra that all consumers have into common demand. */
static void sync_demand(struct broadcast *self)
{
    if (self->n_at_base > 0 || self->n == 0)
        return;
    struct sh__link *head = &self->consumers;
    int64_t lowest = consumer_at(head->next)->level;
    sh__link_each (link, head) {
        int64_t level = consumer_at(link)->level;
        if (level < lowest) {
            lowest = level;
            self->n_at_base = 0;
        }
        self->n_at_base += level == lowest;
    }
    self->waiting += lowest - self->base;
    self->base = lowest;
}

/* Gives a consumer up to n more extra. */
static void add_extra(struct broadcast *self, struct consumer *consumer, int64_t n)
{
    n = sh_demand_room(self->waiting + consumer->level - self->base, n);
    if (n > 0 && consumer->level == self->base)
        self->n_at_base--;
    consumer->level += n;
}

static int broadcast_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                               sh_error **error)
{
    struct broadcast *self = state;
    struct consumer *consumer = sh_malloc(sizeof *consumer);
    int status = SH_ENOMEM;
    if (consumer)
        status = sh__stage_set_add(&self->stages, sh_subscription_consumer(sub));
    if (status != SH_OK) {
        sh_free(consumer);
        if (status != SH_EEXIST)
            return sh__dispatch_enomem(error);
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EFAILED, "already_subscribed",
                              "the consumer is already subscribed to this producer");
        return SH_EFAILED;
    }
    /* A newcomer has asked for nothing yet, so there is no common demand any more. */
    if (self->waiting > 0) {
        self->base -= self->waiting;
        self->waiting = 0;
        self->n_at_base = 0;
    }
    *consumer =
        (struct consumer){.level = self->base, .sub = sub, .selector = opts->selector};
    opts->selector = NULL;
    sh__link_append(&self->consumers, &consumer->link);
    self->n++;
    self->n_at_base++;
    *sh_subscription_dispatch_data(sub) = consumer;
    return SH_OK;
}

static void broadcast_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct broadcast *self = state;
    struct consumer *consumer = *sh_subscription_dispatch_data(sub);
    (void)out;
    sh__stage_set_remove(&self->stages, sh_subscription_consumer(sub));
    self->n--;
    if (consumer->level == self->base)
        self->n_at_base--;
    free_consumer(consumer);
    *sh_subscription_dispatch_data(sub) = NULL;
    if (self->n == 0)
        self->waiting = 0;
    sync_demand(self);
}

static void broadcast_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct broadcast *self = state;
    (void)out;
    assert(n > 0);
    add_extra(self, *sh_subscription_dispatch_data(sub), n);
    sync_demand(self);
}

static int64_t broadcast_credit(const void *state)
{
    return ((const struct broadcast *)state)->waiting;
}

/* Sends a consumer the events that its selector chooses. Rejected events use up no demand. */
static void send_selected(struct broadcast *self, struct consumer *consumer, sh_batch part,
                          sh_dispatch *out)
{
    sh_batch chosen = {0};
    sh_error *error = NULL;
    sh_selector *selector = consumer->selector;
    if (selector->select(selector, out->worker, part, &chosen, &error) != SH_OK) {
        out->fail(out, consumer->sub, error);
        return;
    }
    assert(chosen.n <= part.n);
    add_extra(self, consumer, part.n - chosen.n);
    if (chosen.n > 0)
        out->send(out, consumer->sub, chosen);
    else
        sh__batch_unref(chosen);
}

static int64_t broadcast_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                                  sh_error **error)
{
    struct broadcast *self = state;
    (void)error;
    if (batch.n > self->waiting)
        batch.n = (uint32_t)self->waiting;
    if (batch.n == 0)
        return 0;
    self->waiting -= batch.n;
    struct sh__link *head = &self->consumers;
    sh__link_each (link, head) {
        struct consumer *consumer = consumer_at(link);
        if (consumer->selector)
            send_selected(self, consumer, batch, out);
        else
            out->send(out, consumer->sub, sh__batch_ref(batch));
    }
    sync_demand(self);
    return batch.n;
}

const sh_dispatcher_ops sh_dispatcher_broadcast = {
    .name = "broadcast",
    .size = sizeof(struct broadcast),
    .init = broadcast_init,
    .fini = broadcast_fini,
    .subscribe = broadcast_subscribe,
    .cancel = broadcast_cancel,
    .ask = broadcast_ask,
    .credit = broadcast_credit,
    .dispatch = broadcast_dispatch,
    .shares_events = true,
    .reads = SH_READS_SELECTOR,
};

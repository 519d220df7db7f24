/* SPDX-License-Identifier: MIT
 *
 * Demand dispatcher: events go to the consumer with the largest demand, as many as it
 * takes. Among equals the consumer whose demand has been unchanged for longest is first. */
#include "stagehost/dispatcher.h"

#include <assert.h>

#include "base/random.h"
#include "dispatch/demand_order.h"
#include "dispatch/dispatch.h"
#include "dispatch/lane.h"

struct consumer {
    struct sh__demand_place
        place; /* in the lane: in no order, and its demand is the credit */
    sh_subscription *sub;
};

struct demand {
    struct sh__lane lane; /* first: see sh__demand_lane */
    struct sh__demand_order order;
    uint32_t n; /* consumers, also in the lane */
    uint64_t random;
    bool shuffle; /* still to be done */
};

static struct consumer *consumer_of(sh_subscription *sub)
{
    return *sh_subscription_dispatch_data(sub);
}

static struct consumer *first(const struct demand *self)
{
    return sh__container_of(sh__demand_order_first(&self->order), struct consumer, place);
}

static int demand_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct demand *self = state;
    const sh_demand_opts *given = opts;
    self->random = seed ? seed : SH__RANDOM_SEED;
    if (!given)
        return SH_OK;
    if (given->max_demand < 0) {
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "bad_opts",
                              "dispatcher option max_demand must be 1 or more, got %lld",
                              (long long)given->max_demand);
        return SH_EBADOPT;
    }
    self->lane.max_demand = given->max_demand;
    self->shuffle = given->shuffle_demands_on_first_dispatch;
    return SH_OK;
}

/* Adds another consumer; there is room in the order. */
static void leave_lane(struct demand *self)
{
    if (!self->lane.sub)
        return;
    struct consumer *consumer = consumer_of(self->lane.sub);
    consumer->place.demand = (int64_t)self->lane.credit;
    self->lane.sub = NULL;
    sh__demand_order_add(&self->order, &consumer->place);
}

/* Takes a consumer that is in no order out of the dispatcher. */
static void forget(struct demand *self, struct consumer *consumer)
{
    *sh_subscription_dispatch_data(consumer->sub) = NULL;
    sh_free(consumer);
    self->n--;
}

/* Called when the number of consumers has fallen. */
static void enter_lane(struct demand *self)
{
    if (self->n != 1 || self->shuffle)
        return;
    struct consumer *consumer = first(self);
    sh__demand_order_remove(&self->order, &consumer->place);
    self->lane.sub = consumer->sub;
}

static void demand_fini(void *state)
{
    struct demand *self = state;
    if (self->lane.sub)
        forget(self, consumer_of(self->lane.sub));
    while (self->n > 0) {
        struct consumer *consumer = first(self);
        sh__demand_order_remove(&self->order, &consumer->place);
        forget(self, consumer);
    }
    sh__demand_order_free(&self->order);
}

static int demand_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                            sh_error **error)
{
    struct demand *self = state;
    (void)opts;
    bool is_ordered = self->n > 0 || self->shuffle;
    if (is_ordered && !sh__demand_order_reserve(&self->order, self->n + 1))
        return sh__dispatch_enomem(error);
    struct consumer *consumer = sh_malloc(sizeof *consumer);
    if (!consumer)
        return sh__dispatch_enomem(error);
    *consumer = (struct consumer){.sub = sub};
    *sh_subscription_dispatch_data(sub) = consumer;
    leave_lane(self);
    if (is_ordered)
        sh__demand_order_add(&self->order, &consumer->place);
    else
        self->lane.sub = sub;
    self->n++;
    return SH_OK;
}

static void demand_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct demand *self = state;
    struct consumer *consumer = consumer_of(sub);
    (void)out;
    if (self->lane.sub) {
        self->lane.sub = NULL;
        self->lane.credit = 0;
        forget(self, consumer);
        return;
    }
    sh__demand_order_remove(&self->order, &consumer->place);
    self->lane.credit -= (uint64_t)consumer->place.demand;
    forget(self, consumer);
    enter_lane(self);
}

static void demand_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct demand *self = state;
    struct sh__lane *lane = &self->lane;
    assert(n > 0);
    if (lane->max_demand == 0)
        lane->max_demand = n;
    if (n > lane->max_demand)
        out->warn(out, sub, n, lane->max_demand);
    if (lane->sub) {
        lane->credit += (uint64_t)sh_demand_room((int64_t)lane->credit, n);
        return;
    }
    struct sh__demand_place *place = &consumer_of(sub)->place;
    n = sh_demand_room(place->demand, n);
    lane->credit += (uint64_t)n;
    if (n > 0)
        sh__demand_order_change(&self->order, place, place->demand + n);
}

static int64_t demand_credit(const void *state)
{
    return sh__demand_credit(((const struct demand *)state)->lane.credit);
}

/* Sends the consumer as many events from `first` on as it takes; returns their number. */
static uint32_t serve(struct demand *self, struct consumer *consumer, sh_batch batch,
                      uint32_t first, sh_dispatch *out)
{
    uint32_t n = batch.n - first;
    if (n > consumer->place.demand)
        n = (uint32_t)consumer->place.demand;
    self->lane.credit -= n;
    sh__demand_order_change(&self->order, &consumer->place, consumer->place.demand - n);
    out->send(out, consumer->sub, sh__batch_part(batch, first, n));
    return n;
}

/* Takes the consumers that have demand out of the order and puts them into `all`, which has room
 * for all, in random order; returns their number. */
static uint32_t draw(struct demand *self, struct consumer **all)
{
    uint32_t n = 0;
    for (; n < self->n && first(self)->place.demand > 0; n++) {
        all[n] = first(self);
        sh__demand_order_remove(&self->order, &all[n]->place);
    }
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)((sh__random(&self->random) >> 32) * i >> 32);
        struct consumer *moved = all[i - 1];
        all[i - 1] = all[j];
        all[j] = moved;
    }
    return n;
}

/* The first dispatch serves in random order, whatever the demands; it thus also draws the
 * order among equals for later ones. */
static int64_t dispatch_shuffled(struct demand *self, sh_batch batch, sh_dispatch *out,
                                 sh_error **error)
{
    struct consumer **all = sh_malloc(self->n * sizeof(struct consumer *));
    if (!all)
        return sh__dispatch_enomem(error);
    uint32_t taken = 0, n = draw(self, all);
    for (uint32_t i = 0; i < n; i++)
        sh__demand_order_add(&self->order, &all[i]->place);
    for (uint32_t i = 0; i < n && taken < batch.n; i++)
        taken += serve(self, all[i], batch, taken, out);
    sh_free(all);
    self->shuffle = false;
    enter_lane(self);
    return taken;
}

/* Sends events to the only consumer. */
static uint32_t dispatch_in_lane(struct sh__lane *lane, sh_batch batch, sh_dispatch *out)
{
    uint32_t n = batch.n < lane->credit ? batch.n : (uint32_t)lane->credit;
    if (n == 0)
        return 0;
    lane->credit -= n;
    out->send(out, lane->sub, sh__batch_part(batch, 0, n));
    return n;
}

static int64_t demand_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                               sh_error **error)
{
    struct demand *self = state;
    uint32_t taken = 0;
    if (sh__unlikely(self->shuffle) && self->lane.credit > 0)
        return dispatch_shuffled(self, batch, out, error);
    if (self->lane.sub)
        return dispatch_in_lane(&self->lane, batch, out);
    while (self->lane.credit > 0 && taken < batch.n)
        taken += serve(self, first(self), batch, taken, out);
    return taken;
}

const sh_dispatcher_ops sh_dispatcher_demand = {
    .name = "demand",
    .size = sizeof(struct demand),
    .init = demand_init,
    .fini = demand_fini,
    .subscribe = demand_subscribe,
    .cancel = demand_cancel,
    .ask = demand_ask,
    .credit = demand_credit,
    .dispatch = demand_dispatch,
};

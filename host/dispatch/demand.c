/* SPDX-License-Identifier: MIT
 *
 * Demand dispatcher: events go to the consumer with the largest demand, as many as it
 * takes. Among equals the one goes first whose demand has not changed for longest.
 * Consumers stand in a binary heap; `turn` numbers every change of place, so the order is
 * total and FIFO among equals. */
#include "stagehost/dispatcher.h"

#include <assert.h>

#include "dispatch/dispatch.h"
#include "dispatch/lane.h"

struct consumer {
    sh_subscription *sub;
    int64_t demand; /* of the only one: the lane's credit */
    uint64_t turn;
    uint32_t index; /* in the heap */
};

struct demand {
    struct sh__lane lane; /* first: see sh__demand_lane */
    struct consumer **heap;
    uint32_t n, capacity;
    uint64_t turns;
    uint64_t random;
    bool shuffle; /* still to be done */
};

static bool is_before(const struct consumer *a, const struct consumer *b)
{
    return a->demand != b->demand ? a->demand > b->demand : a->turn < b->turn;
}

static void place(struct demand *self, struct consumer *consumer, uint32_t index)
{
    self->heap[index] = consumer;
    consumer->index = index;
}

static void sift_up(struct demand *self, struct consumer *consumer)
{
    uint32_t index = consumer->index;
    while (index > 0) {
        struct consumer *parent = self->heap[(index - 1) / 2];
        if (!is_before(consumer, parent))
            break;
        place(self, parent, index);
        index = (index - 1) / 2;
    }
    place(self, consumer, index);
}

static void sift_down(struct demand *self, struct consumer *consumer)
{
    uint32_t index = consumer->index;
    for (uint32_t child; (child = 2 * index + 1) < self->n; index = child) {
        if (child + 1 < self->n && is_before(self->heap[child + 1], self->heap[child]))
            child++;
        if (!is_before(self->heap[child], consumer))
            break;
        place(self, self->heap[child], index);
    }
    place(self, consumer, index);
}

static int demand_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct demand *self = state;
    const sh_demand_opts *given = opts;
    self->random = seed ? seed : UINT64_C(0x9e3779b97f4a7c15);
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

static void demand_fini(void *state)
{
    struct demand *self = state;
    for (uint32_t i = 0; i < self->n; i++)
        sh_free(self->heap[i]);
    sh_free(self->heap);
}

static bool grow(struct demand *self)
{
    uint32_t capacity = self->capacity ? 2 * self->capacity : 4;
    struct consumer **heap = sh_realloc(self->heap, capacity * sizeof(struct consumer *));
    if (!heap)
        return false;
    self->heap = heap;
    self->capacity = capacity;
    return true;
}

/* The number of consumers is going to change. */
static void leave_lane(struct demand *self)
{
    if (self->lane.sub)
        self->heap[0]->demand = (int64_t)self->lane.credit;
    self->lane.sub = NULL;
}

/* The number of consumers has changed. */
static void enter_lane(struct demand *self)
{
    if (self->n == 1 && !self->shuffle)
        self->lane.sub = self->heap[0]->sub;
}

static int demand_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                            sh_error **error)
{
    struct demand *self = state;
    (void)opts;
    if (self->n == self->capacity && !grow(self))
        return sh__dispatch_enomem(error);
    struct consumer *consumer = sh_malloc(sizeof(*consumer));
    if (!consumer)
        return sh__dispatch_enomem(error);
    leave_lane(self);
    *consumer = (struct consumer){.sub = sub, .turn = ++self->turns, .index = self->n++};
    sift_up(self, consumer);
    enter_lane(self);
    *sh_subscription_dispatch_data(sub) = consumer;
    return SH_OK;
}

static void demand_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct demand *self = state;
    struct consumer *consumer = *sh_subscription_dispatch_data(sub);
    (void)out;
    leave_lane(self);
    struct consumer *last = self->heap[--self->n];
    if (last != consumer) {
        place(self, last, consumer->index);
        sift_up(self, last);
        sift_down(self, last);
    }
    self->lane.credit -= (uint64_t)consumer->demand;
    enter_lane(self);
    *sh_subscription_dispatch_data(sub) = NULL;
    sh_free(consumer);
}

static void demand_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct demand *self = state;
    struct sh__lane *lane = &self->lane;
    struct consumer *consumer = *sh_subscription_dispatch_data(sub);
    assert(n > 0);
    if (lane->max_demand == 0)
        lane->max_demand = n;
    if (n > lane->max_demand)
        out->warn(out, sub, n, lane->max_demand);
    if (lane->sub) {
        lane->credit += (uint64_t)sh__demand_room((int64_t)lane->credit, n);
        return;
    }
    n = sh__demand_room(consumer->demand, n);
    consumer->demand += n;
    consumer->turn = ++self->turns;
    lane->credit += (uint64_t)n;
    sift_up(self, consumer);
}

static int64_t demand_credit(const void *state)
{
    return sh__demand_credit(((const struct demand *)state)->lane.credit);
}

/* Sends the consumer what it takes of the events from `first` on; returns how many. Its
 * place in the heap is the caller's to mend. */
static uint32_t serve(struct demand *self, struct consumer *consumer, sh_batch batch,
                      uint32_t first, sh_dispatch *out)
{
    uint32_t n = batch.n - first;
    if (n > consumer->demand)
        n = (uint32_t)consumer->demand;
    consumer->demand -= n;
    consumer->turn = ++self->turns;
    self->lane.credit -= n;
    out->send(out, consumer->sub, sh__batch_part(batch, first, n));
    return n;
}

/* xorshift64*, the high half. */
static uint32_t next_random(struct demand *self)
{
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (uint32_t)((self->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static void swap(struct demand *self, uint32_t i, uint32_t j)
{
    struct consumer *moved = self->heap[i];
    place(self, self->heap[j], i);
    place(self, moved, j);
}

/* Moves the consumers that have demand to the front, in random order; returns their number. */
static uint32_t shuffle_front(struct demand *self)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < self->n; i++)
        if (self->heap[i]->demand > 0)
            swap(self, i, n++);
    for (uint32_t i = n; i > 1; i--)
        swap(self, i - 1, (uint32_t)((uint64_t)next_random(self) * i >> 32));
    return n;
}

/* The first dispatch serves in random order, whatever the demands; it thus also draws the
 * order among equals for later ones. */
static uint32_t dispatch_shuffled(struct demand *self, sh_batch batch, sh_dispatch *out)
{
    uint32_t taken = 0;
    uint32_t n = shuffle_front(self);
    for (uint32_t i = 0; i < n; i++)
        self->heap[i]->turn = ++self->turns;
    for (uint32_t i = 0; i < n && taken < batch.n; i++)
        taken += serve(self, self->heap[i], batch, taken, out);
    for (uint32_t i = self->n / 2; i > 0; i--)
        sift_down(self, self->heap[i - 1]);
    self->shuffle = false;
    enter_lane(self);
    return taken;
}

/* To the only consumer. */
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
    (void)error;
    if (sh__unlikely(self->shuffle) && self->lane.credit > 0)
        return dispatch_shuffled(self, batch, out);
    if (self->lane.sub)
        return dispatch_in_lane(&self->lane, batch, out);
    while (self->lane.credit > 0 && taken < batch.n) {
        struct consumer *head = self->heap[0];
        taken += serve(self, head, batch, taken, out);
        sift_down(self, head);
    }
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

/* SPDX-License-Identifier: MIT
 *
 * Fair dispatcher: every dispatch is split over all consumers that have asked, instead of
 * going whole to the one that has asked for most.
 *
 * A higher priority is served first, as far as its consumers have asked. Within a priority
 * a consumer's share is proportional to its weight, but never more than it has asked for: a
 * consumer that would get more gets all it asked for, and the rest is shared out anew among
 * the others. The remainder of a division goes to the largest fractions; these are carried
 * from dispatch to dispatch (`carry`), so that over time, also with single events, no
 * consumer gains or loses by rounding. Among equals the one whose last such event is longest
 * ago is first.
 *
 * A dispatch visits all consumers of the priorities it reaches. Each gets one message of
 * consecutive events. */
#include "stagehost/dispatcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/dispatch.h"

enum { CARRY_BITS = 20 }; /* a carry of one event is 1 << CARRY_BITS */

struct consumer {
    sh_subscription *sub;
    int64_t credit;
    int64_t carry;
    uint64_t turn; /* of its last event by rounding */
    int32_t priority;
    uint32_t weight;
    /* while a dispatch is being split: */
    uint32_t share;
    bool is_open; /* would take more than its share of the events left */
};

struct fair {
    struct consumer **all;    /* by priority, highest first, then as they came */
    struct consumer **sorted; /* scratch */
    uint32_t n, capacity;     /* of both */
    uint64_t total;           /* of all credits */
    uint64_t turns;
};

/* The consumers of one priority: a range of fair.all. */
struct level {
    struct consumer **all;
    uint32_t n;
};

static int fair_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    (void)state;
    (void)opts;
    (void)seed;
    (void)error;
    return SH_OK;
}

static void fair_fini(void *state)
{
    struct fair *self = state;
    for (uint32_t i = 0; i < self->n; i++)
        sh_free(self->all[i]);
    sh_free(self->all);
    sh_free(self->sorted);
}

/* -- the consumers --------------------------------------------------------------------- */

static bool grow(struct fair *self)
{
    uint32_t capacity = self->capacity ? 2 * self->capacity : 4;
    size_t size = capacity * sizeof(struct consumer *);
    struct consumer **all = sh_realloc(self->all, size);
    if (all)
        self->all = all;
    struct consumer **sorted = all ? sh_realloc(self->sorted, size) : NULL;
    if (!sorted)
        return false;
    self->sorted = sorted;
    self->capacity = capacity;
    return true;
}

static int fair_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                          sh_error **error)
{
    struct fair *self = state;
    if (opts->weight > SH_WEIGHT_MAX) {
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "weight_invalid",
                              "subscription option weight must be at most %d, got %u",
                              (int)SH_WEIGHT_MAX, opts->weight);
        return SH_EFAILED;
    }
    if (self->n == self->capacity && !grow(self))
        return sh__dispatch_enomem(error);
    struct consumer *consumer = sh_malloc(sizeof *consumer);
    if (!consumer)
        return sh__dispatch_enomem(error);
    *consumer = (struct consumer){
        .sub = sub, .priority = opts->priority, .weight = opts->weight ? opts->weight : 1};
    uint32_t at = self->n++;
    for (; at > 0 && self->all[at - 1]->priority < consumer->priority; at--)
        self->all[at] = self->all[at - 1];
    self->all[at] = consumer;
    *sh_subscription_dispatch_data(sub) = consumer;
    return SH_OK;
}

/* The consumers of the priority of fair.all[at], which may be any of them. */
static struct level level_around(const struct fair *self, uint32_t at)
{
    int32_t priority = self->all[at]->priority;
    uint32_t end = at + 1;
    while (at > 0 && self->all[at - 1]->priority == priority)
        at--;
    while (end < self->n && self->all[end]->priority == priority)
        end++;
    return (struct level){self->all + at, end - at};
}

/* The carry of a consumer that leaves goes to the others of its priority: their carries always
 * add up to 0, so a newcomer without one is neither favoured nor set back. */
static void pass_carry_on(const struct fair *self, uint32_t at)
{
    struct consumer *leaving = self->all[at];
    struct level level = level_around(self, at);
    uint32_t n = level.n - 1;
    for (uint32_t i = 0; i < level.n; i++) {
        if (level.all[i] == leaving)
            continue;
        int64_t part = leaving->carry / n--;
        level.all[i]->carry += part;
        leaving->carry -= part;
    }
}

static void fair_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct fair *self = state;
    struct consumer *consumer = *sh_subscription_dispatch_data(sub);
    uint32_t at = 0;
    (void)out;
    while (self->all[at] != consumer)
        at++;
    pass_carry_on(self, at);
    self->n--;
    memmove(self->all + at, self->all + at + 1, (self->n - at) * sizeof *self->all);
    self->total -= (uint64_t)consumer->credit;
    *sh_subscription_dispatch_data(sub) = NULL;
    sh_free(consumer);
}

static void fair_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct fair *self = state;
    struct consumer *consumer = *sh_subscription_dispatch_data(sub);
    (void)out;
    assert(n > 0);
    n = sh_demand_room(consumer->credit, n);
    consumer->credit += n;
    self->total += (uint64_t)n;
}

static int64_t fair_credit(const void *state)
{
    return sh__demand_credit(((const struct fair *)state)->total);
}

/* -- splitting ------------------------------------------------------------------------- */

/* Opens the shares of a level; returns how many of `n` events it takes. */
static uint32_t open_shares(const struct level *level, uint32_t n)
{
    uint64_t credit = 0;
    for (uint32_t i = 0; i < level->n; i++) {
        struct consumer *consumer = level->all[i];
        consumer->share = 0;
        consumer->is_open = consumer->credit > 0;
        credit += (uint64_t)consumer->credit;
    }
    return n < credit ? n : (uint32_t)credit;
}

static uint64_t open_weight(const struct level *level)
{
    uint64_t weight = 0;
    for (uint32_t i = 0; i < level->n; i++)
        weight += level->all[i]->is_open ? level->all[i]->weight : 0;
    return weight;
}

/* Gives the consumers that have asked for less than their share of n all they asked for; returns
 * the number of events that this leaves for the others. */
static uint32_t fill_small(const struct level *level, uint32_t n, uint64_t weight)
{
    uint32_t left = n;
    for (uint32_t i = 0; i < level->n; i++) {
        struct consumer *consumer = level->all[i];
        uint64_t share = consumer->is_open ? (uint64_t)n * consumer->weight / weight : 0;
        if (!consumer->is_open || (uint64_t)consumer->credit > share)
            continue;
        consumer->share = (uint32_t)consumer->credit;
        consumer->is_open = false;
        left -= consumer->share;
    }
    return left;
}

static int compare_carries(const void *a, const void *b)
{
    const struct consumer *one = *(struct consumer *const *)a;
    const struct consumer *other = *(struct consumer *const *)b;
    if (one->carry != other->carry)
        return one->carry > other->carry ? -1 : 1;
    if (one->turn != other->turn)
        return one->turn < other->turn ? -1 : 1;
    return 0;
}

/* Shares n events out by weight, rounded down, among the open consumers; *fractions is the sum
 * of the fractions cut off, which are kept in their carries. Returns how many events that
 * leaves; the *n_open open consumers are in self->sorted. */
static uint32_t share_by_weight(struct fair *self, const struct level *level, uint32_t n,
                                uint64_t weight, int64_t *fractions, uint32_t *n_open)
{
    uint32_t left = n;
    *fractions = 0;
    *n_open = 0;
    for (uint32_t i = 0; i < level->n; i++) {
        struct consumer *consumer = level->all[i];
        if (!consumer->is_open)
            continue;
        uint64_t share = (uint64_t)n * consumer->weight;
        int64_t fraction = (int64_t)((share % weight << CARRY_BITS) / weight);
        consumer->share = (uint32_t)(share / weight);
        consumer->carry += fraction;
        *fractions += fraction;
        left -= consumer->share;
        self->sorted[(*n_open)++] = consumer;
    }
    return left;
}

/* Gives one more event to the consumers with the largest carries, in order; consumers equal by
 * carry and turn keep the order in which they came. They pay for it with exactly the fractions
 * that the division cut off. */
static void round_up(struct fair *self, uint32_t n, int64_t fractions, uint32_t n_open)
{
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n_open; i++) /* qsort is not stable: no two are equal */
        if (self->sorted[i]->turn == 0)
            self->sorted[i]->turn = ++self->turns;
    qsort(self->sorted, n_open, sizeof(struct consumer *), compare_carries);
    for (uint32_t i = 0; i < n; i++) {
        struct consumer *consumer = self->sorted[i];
        int64_t price = fractions / (n - i);
        fractions -= price;
        consumer->carry -= price;
        consumer->share++;
        consumer->turn = ++self->turns;
    }
}

/* Sets the share of each consumer of the level in up to n events. */
static void split(struct fair *self, const struct level *level, uint32_t n)
{
    uint32_t left = open_shares(level, n), before = 0;
    uint64_t weight = open_weight(level);
    while (weight > 0 && left != before) { /* it is 0 when no consumer is open */
        before = left;
        left = fill_small(level, left, weight);
        if (left != before)
            weight = open_weight(level);
    }
    if (weight > 0 && left > 0) {
        int64_t fractions;
        uint32_t n_open;
        left = share_by_weight(self, level, left, weight, &fractions, &n_open);
        round_up(self, left, fractions, n_open);
    }
}

static int64_t fair_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                             sh_error **error)
{
    struct fair *self = state;
    uint32_t taken = 0;
    (void)error;
    for (uint32_t at = 0; at < self->n && self->total > 0 && taken < batch.n;) {
        struct level level = level_around(self, at);
        split(self, &level, batch.n - taken);
        for (uint32_t i = 0; i < level.n; i++) {
            struct consumer *consumer = level.all[i];
            if (consumer->share == 0)
                continue;
            consumer->credit -= consumer->share;
            self->total -= consumer->share;
            out->send(out, consumer->sub, sh__batch_part(batch, taken, consumer->share));
            taken += consumer->share;
        }
        at += level.n;
    }
    return taken;
}

const sh_dispatcher_ops sh_dispatcher_fair = {
    .name = "fair",
    .size = sizeof(struct fair),
    .init = fair_init,
    .fini = fair_fini,
    .subscribe = fair_subscribe,
    .cancel = fair_cancel,
    .ask = fair_ask,
    .credit = fair_credit,
    .dispatch = fair_dispatch,
    .reads = SH_READS_WEIGHT | SH_READS_PRIORITY,
};

/* SPDX-License-Identifier: MIT */
#include "dispatch/rate.h"

#include <assert.h>
#include <stddef.h>

/* A portion lasts at least SHORTEST_MS, so that waiting costs little, and there are at most
 * MOST_PORTIONS in a window, which is smooth enough. A timer may be late by LATE_MS without
 * loss. */
enum { SHORTEST_MS = 5, LATE_MS = 2, MOST_PORTIONS = 100 };

static const uint64_t ns_per_ms = 1000000;

static int64_t smallest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void sh__rate_init(struct sh__rate *rate, int64_t events, uint64_t per_ms, int64_t portion)
{
    assert(events >= 1 && per_ms >= 1 && portion >= 1 && portion <= events);
    int64_t portions = smallest((int64_t)(per_ms / SHORTEST_MS), MOST_PORTIONS);
    if (portions < 1)
        portions = 1;
    int64_t even = events / portions + (events % portions > 0);
    rate->events = events;
    rate->window_ns = per_ms * ns_per_ms;
    rate->portion = even > portion ? even : portion;
    rate->capacity = (double)rate->portion + (double)events *
                                                 (double)(LATE_MS * ns_per_ms) /
                                                 (double)rate->window_ns;
    rate->tokens = rate->capacity;
    rate->filled_ns = 0;
    rate->has_begun = false;
    rate->taken = 0;
    rate->head = rate->length = 0;
}

static struct sh__rate_entry *entry_at(struct sh__rate *rate, uint32_t i)
{
    return &rate->log[(rate->head + i) % SH__RATE_LOG];
}

static double tokens_per_ns(const struct sh__rate *rate)
{
    return (double)rate->events / (double)rate->window_ns;
}

/* Brings the bucket and the log up to date. */
static void advance(struct sh__rate *rate, uint64_t now_ns)
{
    if (rate->has_begun && now_ns > rate->filled_ns) {
        rate->tokens += (double)(now_ns - rate->filled_ns) * tokens_per_ns(rate);
        if (rate->tokens > rate->capacity)
            rate->tokens = rate->capacity;
    }
    if (!rate->has_begun || now_ns > rate->filled_ns)
        rate->filled_ns = now_ns;
    rate->has_begun = true;
    while (rate->length > 0 && now_ns - entry_at(rate, 0)->last_ns >= rate->window_ns) {
        rate->taken -= entry_at(rate, 0)->n;
        rate->head = (rate->head + 1) % SH__RATE_LOG;
        rate->length--;
    }
}

/* A little more than 0, to make up for rounding. */
static const double hair = 1e-6;

int64_t sh__rate_allowed(struct sh__rate *rate, uint64_t now_ns)
{
    advance(rate, now_ns);
    int64_t left = rate->events - rate->taken;
    return smallest(left, (int64_t)(rate->tokens + hair));
}

void sh__rate_take(struct sh__rate *rate, uint64_t now_ns, int64_t n)
{
    advance(rate, now_ns);
    if (n <= 0)
        return;
    rate->tokens -= (double)n;
    if (rate->tokens < 0)
        rate->tokens = 0;
    rate->taken += n;
    struct sh__rate_entry *last =
        rate->length > 0 ? entry_at(rate, rate->length - 1) : NULL;
    bool is_near = last && now_ns - last->first_ns <= rate->window_ns / (SH__RATE_LOG - 1);
    if (is_near || rate->length == SH__RATE_LOG) {
        last->n += n;
        last->last_ns = now_ns;
        return;
    }
    *entry_at(rate, rate->length++) = (struct sh__rate_entry){now_ns, now_ns, n};
}

/* The time until the log has room for n. */
static uint64_t wait_for_log(struct sh__rate *rate, uint64_t now_ns, int64_t n)
{
    int64_t left = rate->events - rate->taken;
    for (uint32_t i = 0; i < rate->length && left < n; i++) {
        const struct sh__rate_entry *entry = entry_at(rate, i);
        left += entry->n;
        if (left >= n)
            return entry->last_ns + rate->window_ns - now_ns;
    }
    return 0;
}

uint64_t sh__rate_wait_ns(struct sh__rate *rate, uint64_t now_ns, int64_t n)
{
    advance(rate, now_ns);
    if (n > rate->portion)
        n = rate->portion;
    uint64_t for_log = wait_for_log(rate, now_ns, n);
    double missing = (double)n - rate->tokens - hair;
    uint64_t for_tokens = missing > 0 ? (uint64_t)(missing / tokens_per_ns(rate)) + 1 : 0;
    return for_log > for_tokens ? for_log : for_tokens;
}

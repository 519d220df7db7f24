/* SPDX-License-Identifier: MIT
 *
 * The rate limiter: no window holds more than it may, wherever it begins; it is smooth; and it
 * lets through what it promises. */
#include "dispatch/rate.h"

#include <stdio.h>

#include "test.h"

enum { MOST = 20000 };
static const uint64_t ms = 1000000;

static struct {
    uint64_t at[MOST];
    int64_t n[MOST];
    int count;
} taken;

static void take(struct sh__rate *rate, uint64_t now, int64_t n)
{
    sh__rate_take(rate, now, n);
    if (n > 0 && taken.count < MOST) {
        taken.at[taken.count] = now;
        taken.n[taken.count++] = n;
    }
}

/* The most events in any half-open window of that length. */
static int64_t fullest_window(uint64_t window)
{
    int64_t sum = 0, most = 0;
    for (int first = 0, i = 0; i < taken.count; i++) {
        sum += taken.n[i];
        while (taken.at[i] - taken.at[first] >= window)
            sum -= taken.n[first++];
        most = sum > most ? sum : most;
    }
    return most;
}

/* Takes all it can, whenever the limiter says so and a timer of whole milliseconds has fired, until
 * `end`; returns how many. */
static int64_t run_greedily(struct sh__rate *rate, uint64_t begin, uint64_t end,
                            uint64_t lateness)
{
    int64_t sum = 0;
    taken.count = 0;
    for (uint64_t now = begin; now < end && taken.count < MOST;) {
        int64_t n = sh__rate_allowed(rate, now);
        take(rate, now, n);
        sum += n;
        uint64_t wait = sh__rate_wait_ns(rate, now, rate->portion);
        CHECK(wait > 0);
        now += (wait + ms - 1) / ms * ms + lateness;
    }
    return sum;
}

static void test_one_at_a_time(void)
{
    struct sh__rate rate;
    sh__rate_init(&rate, 10, 1000, 1);
    uint64_t now = 12345;
    CHECK_INT(sh__rate_wait_ns(&rate, now, 1), 0);
    CHECK_INT(sh__rate_allowed(&rate, now), 1);
    sh__rate_take(&rate, now, 1);
    CHECK_INT(sh__rate_allowed(&rate, now), 0);
    uint64_t wait = sh__rate_wait_ns(&rate, now, 1);
    CHECK(wait > 97 * ms && wait <= 100 * ms);
    CHECK_INT(sh__rate_allowed(&rate, now + wait - ms), 0);
    CHECK_INT(sh__rate_allowed(&rate, now + wait), 1);
    CHECK_INT(sh__rate_allowed(&rate, now + 5000 * ms), 1); /* idle time is not saved up */
}

static void test_a_portion_is_allowed_at_once(void)
{
    struct sh__rate rate;
    sh__rate_init(&rate, 100, 1000, 50);
    CHECK_INT(sh__rate_allowed(&rate, 0), 50);
    sh__rate_take(&rate, 0, 50);
    CHECK(sh__rate_wait_ns(&rate, 0, 50) <= 500 * ms);
    uint64_t now = sh__rate_wait_ns(&rate, 0, 50);
    CHECK(sh__rate_allowed(&rate, now) >= 50);
    take(&rate, now, 50);
    CHECK_INT(sh__rate_allowed(&rate, now), 0);
    CHECK(sh__rate_wait_ns(&rate, now, 50) + now >= 1000 * ms);
}

static void test_everything_in_one_window(void)
{
    struct sh__rate rate;
    sh__rate_init(&rate, 3, 1, 1); /* too fine to be spread */
    CHECK_INT(sh__rate_allowed(&rate, 7), 3);
    sh__rate_take(&rate, 7, 3);
    CHECK_INT(sh__rate_wait_ns(&rate, 7, 3), 1 * ms);
}

static void test_throughput(void)
{
    static const struct {
        int64_t events;
        uint64_t per_ms;
    } rates[] = {{1, 1},       {1, 1000},      {10, 1000},   {7, 100},
                 {1000, 1000}, {100000, 1000}, {5000, 60000}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (uint64_t lateness = 0; lateness <= ms; lateness += ms / 2) {
            struct sh__rate rate;
            uint64_t window = rates[i].per_ms * ms;
            sh__rate_init(&rate, rates[i].events, rates[i].per_ms, 1);
            int64_t sum = run_greedily(&rate, 999, 999 + 20 * window, lateness);
            CHECK(fullest_window(window) <= rates[i].events);
            if (taken.count == MOST)
                continue;
            /* where a timer's lateness is much of the window no limiter can make it up */
            int64_t least = rates[i].per_ms < 50 ? 4 : 18;
            if (!CHECK(sum >= least * rates[i].events))
                printf("  %lld in %llu ms: %lld\n", (long long)rates[i].events,
                       (unsigned long long)rates[i].per_ms, (long long)sum);
        }
}

static void test_smoothness(void)
{
    struct sh__rate rate;
    sh__rate_init(&rate, 1000, 1000, 1);
    run_greedily(&rate, 0, 10000 * ms, 0);
    CHECK(fullest_window(10 * ms) <= 12);
    CHECK(fullest_window(100 * ms) <= 112);
}

/* Random takes at random times, often just as a window ends. */
static void test_random_windows(uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    int64_t events = 1 + test_random_below(&random, seed % 2 ? 20 : 5000);
    uint64_t per_ms = 1 + test_random_below(&random, 300);
    int64_t portion = 1 + test_random_below(&random, (uint32_t)events);
    struct sh__rate rate;
    sh__rate_init(&rate, events, per_ms, portion);
    uint64_t window = per_ms * ms;
    uint64_t now = test_random_below(&random, 1000);
    taken.count = 0;
    for (int i = 0; i < 3000; i++) {
        int64_t allowed = sh__rate_allowed(&rate, now);
        CHECK(allowed >= 0 && allowed <= events);
        int64_t n = test_random_below(&random, 3)
                        ? allowed
                        : test_random_below(&random, (uint32_t)allowed + 1);
        take(&rate, now, n);
        int64_t want = 1 + test_random_below(&random, (uint32_t)portion);
        uint64_t wait = sh__rate_wait_ns(&rate, now, want);
        if (test_random_below(&random, 2)) {
            now += test_random_below(
                &random, (uint32_t)(window / (1 + test_random_below(&random, 400))) + 1);
        } else {
            now += wait;
            CHECK(sh__rate_allowed(&rate, now) >= want); /* the wait was long enough */
        }
    }
    if (!CHECK(fullest_window(window) <= events))
        printf("  seed %llu: %lld in %llu ms, but %lld\n", (unsigned long long)seed,
               (long long)events, (unsigned long long)per_ms,
               (long long)fullest_window(window));
}

int main(void)
{
    test_one_at_a_time();
    test_a_portion_is_allowed_at_once();
    test_everything_in_one_window();
    test_throughput();
    test_smoothness();
    uint64_t seeds = test_seeds(300);
    for (uint64_t seed = 1; seed <= seeds; seed++)
        test_random_windows(seed);
    return test_end();
}

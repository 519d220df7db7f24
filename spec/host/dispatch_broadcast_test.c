/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "integer_selector.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[3] = {{"A"}, {"B"}, {"C"}};
static sh_subscription a, b, c;

static void subscribe(sh_subscription *sub, sh_stage *stage)
{
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    CHECK_INT(rig_subscribe(&rig, sub, NULL), SH_OK);
}

/* A dispatcher with the first `n` of a, b, c subscribed. */
static void start(int n)
{
    sh_subscription *subs[] = {&a, &b, &c};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_broadcast, NULL, 0, NULL), SH_OK);
    for (int i = 0; i < n; i++)
        subscribe(subs[i], &stages[i]);
}

static void stop(void)
{
    rig_fini(&rig);
}

static void subscribe_multiples(sh_subscription *sub, sh_stage *stage, int64_t modulus)
{
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    sh_subscribe_opts opts = {.selector = multiples_of(modulus, NULL)};
    CHECK_INT(rig_subscribe(&rig, sub, &opts), SH_OK);
    CHECK_POINTER(opts.selector, NULL);
}

/* ------------------------------------------------------------------ demand */

static void test_one_consumer(void)
{
    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_credit(&rig), 10);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(rig_credit(&rig), 0);
    rig_emit(&rig, 1, 3);
    CHECK_INT(rig.buffer.count, 3);
    CHECK_TEXT(rig_words(&rig), "");
    stop();
}

static void test_the_slowest_sets_the_pace(void)
{
    start(2);
    CHECK_INT(rig_ask(&rig, &a, 3), 0);
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    rig_emit(&rig, 1, 2);
    CHECK_TEXT(rig_words(&rig), "A[1 2] B[1 2]");
    CHECK_INT(rig_ask(&rig, &b, 2), 1);
    rig_emit(&rig, 3, 2);
    CHECK_TEXT(rig_words(&rig), "A[3] B[3]");
    CHECK_INT(rig.buffer.count, 1);
    CHECK_INT(rig_ask(&rig, &a, 1), 0);
    CHECK_TEXT(rig_words(&rig), "A[4] B[4]");

    subscribe(&c, &stages[2]);
    CHECK_INT(rig_ask(&rig, &a, 2), 0);
    CHECK_INT(rig_ask(&rig, &b, 2), 0);
    CHECK_INT(rig_ask(&rig, &c, 3), 2);
    rig_emit(&rig, 5, 2);
    CHECK_TEXT(rig_words(&rig), "A[5 6] B[5 6] C[5 6]");
    CHECK_INT(rig_credit(&rig), 0);
    stop();
}

static void test_newcomer_blocks_until_it_asks(void)
{
    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    rig_emit(&rig, 1, 3);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig_ask(&rig, &b, 20), 0);
    CHECK_INT(rig_credit(&rig), 7);
    rig_words(&rig);
    rig_emit(&rig, 4, 7);
    CHECK_TEXT(rig_words(&rig), "A[4 5 6 7 8 9 10] B[4 5 6 7 8 9 10]");
    stop();

    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_ask(&rig, &b, 20), 0);
    subscribe(&c, &stages[2]);
    CHECK_INT(rig_ask(&rig, &c, 15), 0);
    CHECK_INT(rig_ask(&rig, &a, 5), 5);
    stop();
}

static void test_leaving(void)
{
    start(2);
    CHECK_INT(rig_ask(&rig, &a, 10), 0);
    CHECK_INT(rig_cancel(&rig, &b), 10); /* the silent one was what held it up */
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    stop();

    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(rig_ask(&rig, &b, 10), 0);
    CHECK_INT(rig_credit(&rig), 10);
    stop();

    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_ask(&rig, &a, 5), 0);
    CHECK_INT(rig_cancel(&rig, &b), 5);
    stop();

    start(1);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_ask(&rig, &b, 5), 0);
    rig_emit(&rig, 1, 3);
    CHECK_TEXT(rig_words(&rig), "B[1 2 3]");
    CHECK_INT(rig_credit(&rig), 2);
    stop();
}

static void test_nothing_is_stranded(void)
{
    start(1);
    rig_ask(&rig, &a, 5);
    rig_cancel(&rig, &a);
    rig_emit(&rig, 1, 3);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_ask(&rig, &b, 4), 0);
    CHECK_TEXT(rig_words(&rig), "B[1 2 3]");
    rig_emit(&rig, 4, 2);
    CHECK_TEXT(rig_words(&rig), "B[4]");
    CHECK_INT(rig.buffer.count, 1);
    stop();
}

/* ------------------------------------------------------------------ one subscription a
 * stage */

static void test_already_subscribed(void)
{
    start(1);
    for (int i = 0; i < 3; i++) { /* the refused ones don't make room for a later one */
        sh_subscription again = RIG_SUBSCRIPTION(&stages[0]);
        sh_selector *selector = multiples_of(1, NULL);
        sh_subscribe_opts opts = {.selector = selector};
        CHECK_INT(rig_subscribe(&rig, &again, &opts), SH_EFAILED);
        CHECK_TEXT(rig_words(&rig), "A?already_subscribed");
        CHECK_POINTER(opts.selector, selector); /* still the caller's */
        selector->free(selector);
    }
    CHECK_INT(rig_ask(&rig, &a, 2), 2);
    rig_emit(&rig, 1, 1);
    CHECK_TEXT(rig_words(&rig), "A[1]");
    rig_cancel(&rig, &a);
    subscribe(&a, &stages[0]);
    CHECK_INT(rig_ask(&rig, &a, 2), 1);
    stop();
}

static void test_many_consumers(void)
{
    enum { N = 10000 };
    static sh_stage stage[N];
    static sh_subscription sub[N];
    start(0);
    rig.quiet = true;
    for (int i = 0; i < N; i++) {
        stage[i].name = "x";
        subscribe(&sub[i], &stage[i]);
    }
    for (int64_t round = 0; round < 20; round++) {
        for (int i = 0; i < N; i++)
            CHECK_INT(rig_ask(&rig, &sub[i], 2), i == N - 1 ? 2 : 0);
        rig_emit(&rig, 2 * round, 2);
    }
    for (int i = 0; i < N; i += 2)
        rig_cancel(&rig, &sub[i]);
    for (int i = 0; i < N; i++) {
        sh_subscription again = RIG_SUBSCRIPTION(&stage[i]);
        CHECK_INT(sub[i].received, 40);
        if (i % 2 == 1)
            CHECK_INT(rig_subscribe(&rig, &again, NULL), SH_EFAILED);
    }
    for (int i = 0; i < N; i += 2)
        subscribe(&sub[i], &stage[i]);
    stop();
}

/* ------------------------------------------------------------------ selectors */

static void test_selectors(void)
{
    start(0);
    subscribe_multiples(&a, &stages[0], 2);
    subscribe_multiples(&b, &stages[1], 3);
    CHECK_INT(rig_ask(&rig, &a, 6), 0);
    CHECK_INT(rig_ask(&rig, &b, 6), 6);
    /* A rejects 3 and B 4 of the six: both get that back, together they may go on by three.
     */
    CHECK_INT(rig_emit(&rig, 1, 6), 3);
    CHECK_TEXT(rig_words(&rig), "A[2 4 6] B[3 6]");
    CHECK_INT(rig_ask(&rig, &a, 1), 1);
    CHECK_INT(rig_ask(&rig, &a, 1), 0);
    stop();
}

static void test_selector_that_rejects_all_blocks_nobody(void)
{
    start(1);
    subscribe_multiples(&b, &stages[1], 0);
    rig_ask(&rig, &b, 5);
    CHECK_INT(rig_ask(&rig, &a, 5), 5);
    for (int64_t i = 0; i < 5; i++) {
        rig_emit(&rig, 4 * i, 4);
        CHECK_INT(rig_ask(&rig, &a, 4), 4);
    }
    CHECK_INT(a.received, 20);
    CHECK_INT(b.received, 0);
    stop();

    start(0); /* alone: demand goes on without an ask */
    subscribe_multiples(&a, &stages[0], 0);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    CHECK_INT(rig_emit(&rig, 1, 3), 3);
    CHECK_INT(rig_emit(&rig, 4, 9), 3);
    CHECK_INT(rig.buffer.count, 0);
    CHECK_TEXT(rig_words(&rig), "");
    stop();
}

static void test_failing_selector(void)
{
    start(1);
    subscribe_multiples(&b, &stages[1], -1);
    subscribe(&c, &stages[2]);
    rig_ask(&rig, &a, 2);
    rig_ask(&rig, &b, 2);
    rig_ask(&rig, &c, 2);
    rig_emit(&rig, 1, 2);
    CHECK_TEXT(rig_words(&rig), "A[1 2] B?oops C[1 2]");
    rig_cancel(&rig, &b);
    rig_ask(&rig, &a, 1);
    CHECK_INT(rig_ask(&rig, &c, 1), 1);
    stop();
}

static void test_selector_is_freed(void)
{
    int n_freed = 0;
    start(0);
    a = (sh_subscription)RIG_SUBSCRIPTION(&stages[0]);
    sh_subscribe_opts opts = {.selector = multiples_of(1, &n_freed)};
    rig_subscribe(&rig, &a, &opts);
    CHECK_INT(n_freed, 0);
    rig_cancel(&rig, &a);
    CHECK_INT(n_freed, 1);
    stop();
    CHECK_INT(n_freed, 1);
}

/* ------------------------------------------------------------------ memory */

static void test_events_are_shared(void)
{
    start(3);
    sh_batch batch = rig_integers(1, 4);
    sh_error *error = NULL;
    a.outstanding = b.outstanding = c.outstanding = 4;
    rig.quiet = true;
    sh__alloc_fail_nth(1);
    rig.ops->ask(rig.state, &a, 4, &rig.out);
    rig.ops->ask(rig.state, &b, 4, &rig.out);
    rig.ops->ask(rig.state, &c, 4, &rig.out);
    CHECK_INT(rig.ops->dispatch(rig.state, batch, &rig.out, &error), 4);
    CHECK(sh__alloc_is_armed());
    sh__alloc_fail_nth(0);
    sh_batch_unref(batch);
    stop();
}

static void test_out_of_memory(void)
{
    for (uint64_t nth = 1;; nth++) {
        sh_error *error = NULL;
        int n_freed = 0;
        sh_subscribe_opts opts = {.selector = multiples_of(1, &n_freed)};
        start(0);
        a = (sh_subscription)RIG_SUBSCRIPTION(&stages[0]);
        sh__alloc_fail_nth(nth);
        int status = rig.ops->subscribe(rig.state, &a, &opts, &error);
        bool failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK_INT(sh_error_get(error)->code, failed ? SH_ENOMEM : SH_OK);
        CHECK((opts.selector != NULL) == failed);
        sh_error_unref(error);
        if (failed)
            CHECK_INT(rig_subscribe(&rig, &a, &opts), SH_OK);
        rig_ask(&rig, &a, 1);
        rig_emit(&rig, 1, 1);
        CHECK_TEXT(rig_words(&rig), "A[1]");
        stop();
        CHECK_INT(n_freed, 1);
        if (!failed)
            break;
    }
}

int main(void)
{
    test_one_consumer();
    test_the_slowest_sets_the_pace();
    test_newcomer_blocks_until_it_asks();
    test_leaving();
    test_nothing_is_stranded();
    test_already_subscribed();
    test_many_consumers();
    test_selectors();
    test_selector_that_rejects_all_blocks_nobody();
    test_failing_selector();
    test_selector_is_freed();
    test_events_are_shared();
    test_out_of_memory();
    return test_end();
}

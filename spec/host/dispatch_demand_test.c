/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[3] = {{"A"}, {"B"}, {"C"}};
static sh_subscription a, b, c;

/* A dispatcher with the first `n` of a, b, c subscribed. */
static void start(const sh_demand_opts *opts, uint64_t seed, int n)
{
    sh_subscription *subs[] = {&a, &b, &c};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_demand, opts, seed, NULL), SH_OK);
    for (int i = 0; i < n; i++) {
        *subs[i] = (sh_subscription)RIG_SUBSCRIPTION(&stages[i]);
        CHECK_INT(rig_subscribe(&rig, subs[i], NULL), SH_OK);
    }
}

static void stop(void)
{
    rig_fini(&rig);
}

static void test_subscribe_and_cancel(void)
{
    start(NULL, 0, 1);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_TEXT(rig_words(&rig), "");
    stop();
}

static void test_largest_demand_first(void)
{
    start(NULL, 0, 2);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    CHECK_INT(rig_emit(&rig, 1, 5), 0);
    CHECK_TEXT(rig_words(&rig), "A[1 2 3] B[4 5]");
    rig_ask(&rig, &a, 3);
    rig_ask(&rig, &b, 3);
    rig_words(&rig); /* 3 is more than the first ask's size for neither */
    rig_emit(&rig, 6, 2);
    CHECK_TEXT(rig_words(&rig), "A[6 7]");
    rig_emit(&rig, 8, 2);
    CHECK_TEXT(rig_words(&rig), "B[8 9]");
    rig_emit(&rig, 10, 3);
    CHECK_TEXT(rig_words(&rig), "A[10] B[11]");
    CHECK_INT(rig.buffer.count, 1);
    stop();
}

static void test_order_follows_every_ask(void)
{
    start(&(sh_demand_opts){.max_demand = 10}, 0, 3);
    rig_ask(&rig, &a, 4);
    rig_ask(&rig, &b, 2);
    rig_ask(&rig, &c, 3);
    rig_ask(&rig, &c, 2);
    rig_ask(&rig, &b, 4);
    CHECK_INT(rig_credit(&rig), 15);
    rig_emit(&rig, 1, 15);
    CHECK_TEXT(rig_words(&rig), "B[1 2 3 4 5 6] C[7 8 9 10 11] A[12 13 14 15]");
    stop();
}

static void test_equal_demands_take_turns(void)
{
    start(NULL, 0, 3);
    rig_ask(&rig, &a, 2);
    rig_ask(&rig, &b, 2);
    rig_ask(&rig, &c, 2);
    for (int i = 0; i < 7; i++)
        rig_emit(&rig, i, 1);
    CHECK_TEXT(rig_words(&rig), "A[0] B[1] C[2] A[3] B[4] C[5]");
    CHECK_INT(rig.buffer.count, 1);
    stop();
}

static void test_demand_of_one_who_left_counts_as_asked(void)
{
    start(NULL, 0, 2);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig_ask(&rig, &b, 4), 0);
    CHECK_INT(rig_ask(&rig, &b, 10), 4);
    stop();
}

static void test_buffered_events_go_first(void)
{
    start(NULL, 0, 2);
    rig_ask(&rig, &a, 10);
    rig_cancel(&rig, &a);
    rig_emit(&rig, 1, 3);
    CHECK_INT(rig.buffer.count, 3);
    CHECK_INT(rig_ask(&rig, &b, 5), 0);
    CHECK_TEXT(rig_words(&rig), "B[1 2 3]");
    rig_emit(&rig, 4, 1);
    CHECK_TEXT(rig_words(&rig), "B[4]");
    CHECK_INT(rig_ask(&rig, &b, 7), 2); /* 8 wanted, 6 are owed */
    stop();
}

static void test_leftovers(void)
{
    start(NULL, 0, 1);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    rig_emit(&rig, 1, 1);
    CHECK_INT(rig_credit(&rig), 2);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    rig_emit(&rig, 2, 7);
    CHECK_TEXT(rig_words(&rig), "A[1] A[2 3 4 5 6]");
    CHECK_INT(rig.buffer.count, 2);
    rig_emit(&rig, 9, 1);
    CHECK_INT(rig.buffer.count, 3);
    CHECK_INT(rig_ask(&rig, &a, 3), 0);
    CHECK_TEXT(rig_words(&rig), "A[7 8 9]");
    stop();
}

static void test_one_of_two_leaves(void)
{
    start(NULL, 0, 2);
    rig_ask(&rig, &a, 3);
    rig_ask(&rig, &b, 3);
    rig_cancel(&rig, &a);
    rig_emit(&rig, 1, 5);
    CHECK_TEXT(rig_words(&rig), "B[1 2 3]");
    CHECK_INT(rig.buffer.count, 2);
    CHECK_INT(rig_ask(&rig, &b, 3), 0); /* 1 wanted, 1 is owed */
    stop();
}

static void test_max_demand(void)
{
    start(&(sh_demand_opts){.max_demand = 10}, 0, 2);
    CHECK_INT(rig_ask(&rig, &a, 12), 12);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_TEXT(rig_words(&rig), "A>12:10");
    stop();

    start(NULL, 0, 2);
    rig_ask(&rig, &a, 5);
    rig_ask(&rig, &b, 7);
    rig_ask(&rig, &b, 6);
    rig_ask(&rig, &a, 5);
    CHECK_TEXT(rig_words(&rig), "B>7:5 B>6:5");
    stop();

    sh_error *error = NULL;
    CHECK_INT(rig_init(&rig, &sh_dispatcher_demand, &(sh_demand_opts){.max_demand = -1}, 0,
                       &error),
              SH_EBADOPT);
    CHECK(strstr(sh_error_get(error)->message, "max_demand") != NULL);
    CHECK(strstr(sh_error_get(error)->message, "-1") != NULL);
    sh_error_unref(error);
    stop();
}

/* Only the first dispatch is shuffled, and only among consumers that want something. */
static void test_shuffle(void)
{
    int a_first = 0, n = 64;
    for (int seed = 1; seed <= n; seed++) {
        start(&(sh_demand_opts){.shuffle_demands_on_first_dispatch = true}, (uint64_t)seed,
              3);
        rig_ask(&rig, &b, 3);
        rig_ask(&rig, &a, 2);
        rig_emit(&rig, 1, 5);
        const char *words = rig_words(&rig);
        bool is_a_first = strcmp(words, "A[1 2] B[3 4 5]") == 0;
        CHECK(is_a_first || strcmp(words, "B[1 2 3] A[4 5]") == 0);
        a_first += is_a_first;

        rig_ask(&rig, &a, 2);
        rig_ask(&rig, &b, 3);
        rig_emit(&rig, 6, 5);
        CHECK_TEXT(rig_words(&rig), "B[6 7 8] A[9 10]");
        stop();
    }
    CHECK(a_first > 0 && a_first < n);
}

static void test_endless_demand(void)
{
    start(NULL, 0, 3);
    CHECK(rig_ask(&rig, &a, INT64_MAX) > INT64_MAX / 1000000);
    rig_ask(&rig, &b, INT64_MAX);
    a.outstanding = INT64_MAX;
    a.outstanding -= 10;
    rig.ops->ask(rig.state, &a, 10, &rig.out);
    rig_emit(&rig, 1, 2);
    rig_cancel(&rig, &a);
    rig_emit(&rig, 3, 2);
    rig_cancel(&rig, &b);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_TEXT(rig_words(&rig), "A[1 2] B[3 4]");
    stop();
}

static void test_hot_path_takes_no_memory(void)
{
    start(NULL, 0, 2);
    sh_batch batch = rig_integers(1, 4);
    sh_error *error = NULL;
    a.outstanding = 8;
    rig.quiet = true;
    sh__alloc_fail_nth(1);
    rig.ops->ask(rig.state, &a, 8, &rig.out);
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
        sh_subscribe_opts opts = {0};
        start(NULL, 0, 0);
        a = (sh_subscription)RIG_SUBSCRIPTION(&stages[0]);
        sh__alloc_fail_nth(nth);
        int status = rig.ops->subscribe(rig.state, &a, &opts, &error);
        bool failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK_INT(sh_error_get(error)->code, failed ? SH_ENOMEM : SH_OK);
        sh_error_unref(error);
        if (failed)
            CHECK_INT(rig_subscribe(&rig, &a, NULL), SH_OK);
        rig_ask(&rig, &a, 1);
        rig_emit(&rig, 1, 1);
        CHECK_TEXT(rig_words(&rig), "A[1]");
        stop();
        if (!failed)
            break;
    }
}

int main(void)
{
    test_subscribe_and_cancel();
    test_largest_demand_first();
    test_order_follows_every_ask();
    test_equal_demands_take_turns();
    test_demand_of_one_who_left_counts_as_asked();
    test_buffered_events_go_first();
    test_leftovers();
    test_one_of_two_leaves();
    test_max_demand();
    test_shuffle();
    test_endless_demand();
    test_hot_path_takes_no_memory();
    test_out_of_memory();
    return test_end();
}

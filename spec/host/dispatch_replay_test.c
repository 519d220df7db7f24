/* SPDX-License-Identifier: MIT
 *
 * The broadcast with a memory. What it has in common with the one without is tested there. */
#include <stdio.h>
#include <string.h>

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

static void subscribe_multiples(sh_subscription *sub, sh_stage *stage, int64_t modulus)
{
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    sh_subscribe_opts opts = {.selector = multiples_of(modulus, NULL)};
    CHECK_INT(rig_subscribe(&rig, sub, &opts), SH_OK);
}

/* A has got 1 .. n. */
static void start(int64_t replay, uint32_t n)
{
    sh_replay_opts opts = {.n = replay};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_replay, &opts, 0, NULL), SH_OK);
    subscribe(&a, &stages[0]);
    rig_ask(&rig, &a, 100);
    for (uint32_t i = 0; i < n; i++)
        rig_emit(&rig, 1 + i, 1);
    rig_words(&rig);
}

static void stop(void)
{
    rig_fini(&rig);
}

static void test_the_last_n_are_replayed(void)
{
    start(3, 5);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig_ask(&rig, &b, 2), 0);
    CHECK_TEXT(rig_words(&rig), "B[3 4]");
    CHECK_INT(rig_credit(&rig), 0);
    rig_emit(&rig, 6, 1); /* A waits until B has caught up */
    CHECK_INT(rig.buffer.count, 1);
    CHECK_INT(rig_ask(&rig, &b, 5), 0); /* of its 4 for the broadcast 94 are asked */
    CHECK_TEXT(rig_words(&rig), "B[5] A[6] B[6]");
    CHECK_INT(rig_credit(&rig), 3);
    rig_emit(&rig, 7, 4);
    CHECK_TEXT(rig_words(&rig), "A[7 8 9] B[7 8 9]");
    stop();
}

static void test_fewer_than_n(void)
{
    start(10, 2);
    subscribe(&b, &stages[1]);
    rig_ask(&rig, &b, 5);
    CHECK_TEXT(rig_words(&rig), "B[1 2]");
    CHECK_INT(rig_credit(&rig), 3);
    stop();
    start(10, 0);
    subscribe(&b, &stages[1]);
    rig_ask(&rig, &b, 5);
    CHECK_TEXT(rig_words(&rig), "");
    CHECK_INT(rig_credit(&rig), 5);
    stop();
}

static void test_a_large_batch_leaves_its_end(void)
{
    start(3, 1);
    rig_emit(&rig, 2, 50);
    rig_words(&rig);
    subscribe(&b, &stages[1]);
    rig_ask(&rig, &b, 9);
    CHECK_TEXT(rig_words(&rig), "B[49 50 51]");
    stop();
}

static void test_what_nobody_got_is_no_history(void)
{
    start(3, 2);
    rig_cancel(&rig, &a);
    rig_emit(&rig, 3, 2); /* buffered */
    subscribe(&b, &stages[1]);
    rig_ask(&rig, &b, 9);
    CHECK_TEXT(rig_words(&rig), "B[1 2] B[3 4]");
    stop();
}

static void test_selectors(void)
{
    start(6, 9);
    subscribe_multiples(&b, &stages[1], 3);
    CHECK_INT(rig_ask(&rig, &b, 1), 0);
    CHECK_TEXT(rig_words(&rig), "B[6]");
    subscribe_multiples(&c, &stages[2], 0); /* none of it is for C */
    rig_ask(&rig, &c, 5);
    CHECK_TEXT(rig_words(&rig), "");
    rig_ask(&rig, &b, 3);
    CHECK_TEXT(rig_words(&rig), "B[9]");
    CHECK_INT(rig_credit(&rig), 2);
    rig_emit(&rig, 10, 3);
    CHECK_TEXT(rig_words(&rig), "A[10 11] A[12] B[12]");
    stop();
}

static void test_a_failing_selector_ends_its_own_subscription(void)
{
    start(3, 3);
    subscribe_multiples(&b, &stages[1], -1);
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B?oops");
    rig_cancel(&rig, &b);
    rig_emit(&rig, 4, 1);
    CHECK_TEXT(rig_words(&rig), "A[4]");
    stop();
}

static void test_notifications_stay_behind(void)
{
    start(3, 3);
    subscribe(&b, &stages[1]);
    rig_notify(&rig, 7);
    CHECK_TEXT(rig_words(&rig), "A!7");
    rig_info(&rig, 8); /* to the producer itself: what is replayed is old */
    CHECK_TEXT(rig_words(&rig), "done8");
    rig_ask(&rig, &b, 2);
    rig_notify(&rig, 9);
    CHECK_TEXT(rig_words(&rig), "B[1 2] A!9");
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[3] B!7 done7 B!9 done9");
    stop();
}

static void test_notifications_with_nothing_to_stand_behind(void)
{
    start(3, 3);
    subscribe_multiples(&b, &stages[1], 5);
    rig_notify(&rig, 7);
    CHECK_TEXT(rig_words(&rig), "A!7 B!7 done7");
    stop();
}

static void test_leaving_while_catching_up(void)
{
    start(3, 3);
    subscribe(&b, &stages[1]);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_PRESENT), 3);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_ALL), 0);
    rig_notify(&rig, 7);
    rig_cancel(&rig, &b);
    CHECK_TEXT(rig_words(&rig), "A!7 done7");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_PRESENT), 0);
    CHECK_INT(rig_credit(&rig), 97);
    rig_emit(&rig, 4, 1);
    CHECK_TEXT(rig_words(&rig), "A[4]");
    subscribe(&b, &stages[1]); /* again, and again from the start */
    rig_notify(&rig, 8);
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "A!8 B[2]");
    stop();
}

static void test_refusals(void)
{
    sh_error *error = NULL;
    CHECK_INT(rig_init(&rig, &sh_dispatcher_replay, NULL, 0, &error), SH_EBADOPT);
    CHECK_TEXT(sh_error_get(error)->name, "replay_invalid");
    sh_error_unref(error);
    stop();
    start(3, 1);
    sh_subscription again = RIG_SUBSCRIPTION(&stages[0]);
    CHECK_INT(rig_subscribe(&rig, &again, NULL), SH_EFAILED);
    CHECK_TEXT(rig_words(&rig), "A?already_subscribed");
    stop();
}

int main(void)
{
    test_the_last_n_are_replayed();
    test_fewer_than_n();
    test_a_large_batch_leaves_its_end();
    test_what_nobody_got_is_no_history();
    test_selectors();
    test_a_failing_selector_ends_its_own_subscription();
    test_notifications_stay_behind();
    test_notifications_with_nothing_to_stand_behind();
    test_leaving_while_catching_up();
    test_refusals();
    return test_end();
}

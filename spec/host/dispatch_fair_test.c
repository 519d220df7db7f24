/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[4] = {{"A"}, {"B"}, {"C"}, {"D"}};
static sh_subscription a, b, c, d;

static void start(void)
{
    CHECK_INT(rig_init(&rig, &sh_dispatcher_fair, NULL, 0, NULL), SH_OK);
}

static void subscribe(sh_subscription *sub, sh_stage *stage, uint32_t weight,
                      int32_t priority)
{
    sh_subscribe_opts opts = {.weight = weight, .priority = priority};
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    CHECK_INT(rig_subscribe(&rig, sub, &opts), SH_OK);
}

static void stop(void)
{
    rig_fini(&rig);
}

static void test_equal_shares(void)
{
    start();
    subscribe(&a, &stages[0], 0, 0);
    subscribe(&b, &stages[1], 0, 0);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_ask(&rig, &b, 4), 4);
    rig_emit(&rig, 1, 6);
    CHECK_TEXT(rig_words(&rig), "A[1 2 3] B[4 5 6]");
    CHECK_INT(rig_credit(&rig), 8);
    rig_emit(&rig, 7, 6); /* B has asked for one more only */
    CHECK_TEXT(rig_words(&rig), "A[7 8 9 10 11] B[12]");
    rig_emit(&rig, 13, 4);
    CHECK_TEXT(rig_words(&rig), "A[13 14]");
    CHECK_INT(rig.buffer.count, 2);
    CHECK_INT(rig_ask(&rig, &b, 5), 3);
    CHECK_TEXT(rig_words(&rig), "B[15 16]");
    stop();
}

static void test_rounding_takes_turns(void)
{
    start();
    for (int i = 0; i < 3; i++) {
        sh_subscription *subs[] = {&a, &b, &c};
        subscribe(subs[i], &stages[i], 0, 0);
        rig_ask(&rig, subs[i], 100);
    }
    for (int i = 0; i < 7; i++)
        rig_emit(&rig, i, 1);
    CHECK_TEXT(rig_words(&rig), "A[0] B[1] C[2] A[3] B[4] C[5] A[6]");
    rig_emit(&rig, 10, 5); /* B and C are behind */
    CHECK_TEXT(rig_words(&rig), "A[10] B[11 12] C[13 14]");
    rig_emit(&rig, 20, 4);
    CHECK_TEXT(rig_words(&rig), "A[20 21] B[22] C[23]");
    stop();
}

static void test_weights(void)
{
    start();
    subscribe(&a, &stages[0], 3, 0);
    subscribe(&b, &stages[1], 1, 0);
    rig_ask(&rig, &a, 1000);
    rig_ask(&rig, &b, 1000);
    rig_emit(&rig, 1, 8);
    CHECK_TEXT(rig_words(&rig), "A[1 2 3 4 5 6] B[7 8]");
    for (int i = 0; i < 8; i++) /* one by one in the same proportion */
        rig_emit(&rig, 10 + i, 1);
    CHECK_TEXT(rig_words(&rig), "A[10] B[11] A[12] A[13] A[14] B[15] A[16] A[17]");
    stop();
}

static void test_what_one_has_not_asked_for_goes_to_the_others(void)
{
    start();
    subscribe(&a, &stages[0], 8, 0);
    subscribe(&b, &stages[1], 1, 0);
    subscribe(&c, &stages[2], 1, 0);
    rig_ask(&rig, &a, 2);
    rig_ask(&rig, &b, 3);
    rig_ask(&rig, &c, 100);
    rig_emit(&rig, 1, 10); /* 2 of 8, then 4 each of 8: B has 3 */
    CHECK_TEXT(rig_words(&rig), "A[1 2] B[3 4 5] C[6 7 8 9 10]");
    stop();
}

static void test_priorities(void)
{
    start();
    subscribe(&a, &stages[0], 1, 0);
    subscribe(&b, &stages[1], 1, 5);
    subscribe(&c, &stages[2], 2, 5);
    subscribe(&d, &stages[3], 1, -1);
    rig_ask(&rig, &a, 5);
    rig_ask(&rig, &b, 4);
    rig_ask(&rig, &c, 4);
    rig_ask(&rig, &d, 5);
    rig_emit(&rig, 1, 6);
    CHECK_TEXT(rig_words(&rig), "B[1 2] C[3 4 5 6]");
    rig_emit(&rig, 7, 9);
    CHECK_TEXT(rig_words(&rig), "B[7 8] A[9 10 11 12 13] D[14 15]");
    rig_ask(&rig, &c, 1);
    rig_emit(&rig, 16, 2);
    CHECK_TEXT(rig_words(&rig), "C[16] D[17]");
    stop();
}

static void test_cancel(void)
{
    start();
    subscribe(&a, &stages[0], 1, 0);
    subscribe(&b, &stages[1], 1, 0);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_ask(&rig, &b, 4), 4);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(rig_credit(&rig), 4);
    CHECK_INT(rig_ask(&rig, &b, 12), 2);
    rig_emit(&rig, 1, 20);
    CHECK_INT(b.received, 16);
    CHECK_INT(a.received, 0);
    CHECK_INT(rig_cancel(&rig, &b), 0);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig.buffer.count, 4);
    stop();
}

/* Who comes and goes takes nothing away from the others. */
static void test_rounding_survives_changes(void)
{
    start();
    subscribe(&a, &stages[0], 1, 0);
    subscribe(&b, &stages[1], 1, 0);
    rig_ask(&rig, &a, 100000);
    rig_ask(&rig, &b, 100000);
    int64_t next = 0;
    for (int i = 0; i < 1000; i++) {
        subscribe(&c, &stages[2], 1, 0);
        rig_ask(&rig, &c, 100);
        for (int k = 0; k < 4; k++)
            rig_emit(&rig, next++, 1);
        rig_cancel(&rig, &c);
        rig_words(&rig);
    }
    int64_t difference = a.received - b.received;
    CHECK(difference >= -2 && difference <= 2);
    subscribe(&c, &stages[2], 1, 0);
    rig_ask(&rig, &c, 100);
    rig_emit(&rig, next, 30);
    CHECK(c.received >= 9 && c.received <= 11);
    stop();
}

static void test_refusals(void)
{
    start();
    sh_subscription sub = RIG_SUBSCRIPTION(&stages[0]);
    sh_subscribe_opts opts = {.weight = SH_WEIGHT_MAX + 1};
    sh_error *error = NULL;
    CHECK_INT(rig.ops->subscribe(rig.state, &sub, &opts, &error), SH_EFAILED);
    CHECK(strstr(sh_error_get(error)->message, "weight must be at most 1000000") != NULL);
    sh_error_unref(error);
    stop();
}

static void test_many(void)
{
    enum { N = 1000 };
    static sh_subscription subs[N];
    start();
    rig.quiet = true;
    for (int i = 0; i < N; i++) {
        subscribe(&subs[i], &stages[0], (uint32_t)(1 + i % 3), i % 2);
        rig_ask(&rig, &subs[i], 100);
    }
    rig_emit(&rig, 0, 20000);
    int64_t received = 0;
    for (int i = 0; i < N; i++) {
        received += subs[i].received;
        int64_t share = 20000 / (N / 2) * (1 + i % 3) / 2;
        if (i % 2 == 1)
            CHECK(subs[i].received >= share - 1 && subs[i].received <= share + 1);
        else
            CHECK_INT(subs[i].received, 0);
    }
    CHECK_INT(received, 20000);
    stop();
}

int main(void)
{
    test_equal_shares();
    test_rounding_takes_turns();
    test_weights();
    test_what_one_has_not_asked_for_goes_to_the_others();
    test_priorities();
    test_cancel();
    test_rounding_survives_changes();
    test_refusals();
    test_many();
    return test_end();
}

/* SPDX-License-Identifier: MIT
 *
 * Groups of consumers in a partition, and limits of its queue. */
#include <stdio.h>
#include <string.h>

#include "dispatch_rig.h"
#include "integer_splitter.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[3] = {{"A"}, {"B"}, {"C"}};
static sh_subscription a, b, c;
static const char *const names[] = {"even", "odd"};

static int start(sh_partition_opts opts, sh_error **error)
{
    opts.names = names;
    opts.n = 2;
    opts.splitter = integer_splitter(integer_modulo, NULL);
    return rig_init(&rig, &sh_dispatcher_partition, &opts, 0, error);
}

static int subscribe(sh_subscription *sub, sh_stage *stage, const char *partition)
{
    sh_subscribe_opts opts = {.partition = partition};
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    return rig_subscribe(&rig, sub, &opts);
}

static void stop(void)
{
    rig_fini(&rig);
}

/* ------------------------------------------------------------------ groups */

static void start_group(void)
{
    start((sh_partition_opts){.groups = true}, NULL);
    CHECK_INT(subscribe(&a, &stages[0], "even"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "even"), SH_OK);
    CHECK_INT(subscribe(&c, &stages[2], "odd"), SH_OK);
}

static void test_largest_demand_of_the_group_first(void)
{
    start_group();
    CHECK_INT(rig_ask(&rig, &a, 2), 2);
    CHECK_INT(rig_ask(&rig, &b, 3), 3);
    CHECK_INT(rig_ask(&rig, &c, 2), 2);
    rig_emit(&rig, 1, 7);
    CHECK_TEXT(rig_words(&rig), "B[2 4 6] C[1 3]");
    CHECK_INT(rig_credit(&rig), 0); /* A may have 2, odd has 5 and 7 queued */
    rig_emit(&rig, 8, 1);
    CHECK_INT(rig.buffer.count, 1);
    CHECK_INT(rig_ask(&rig, &c, 3), 2);
    CHECK_TEXT(rig_words(&rig), "C[5 7] A[8]");
    stop();
}

static void test_who_leaves_takes_its_demand_only(void)
{
    start_group();
    rig_ask(&rig, &a, 5);
    rig_ask(&rig, &b, 2);
    rig_cancel(&rig, &a);
    CHECK_INT(rig_credit(&rig), 2);
    rig_emit(&rig, 2, 7);
    CHECK_TEXT(rig_words(&rig), "B[2 4]");
    rig_cancel(&rig, &b);
    CHECK_INT(subscribe(&a, &stages[0], "even"), SH_OK);
    rig_ask(&rig, &a, 9); /* 6 and 8 waited in the queue for whoever comes */
    CHECK_TEXT(rig_words(&rig), "A[6 8]");
    stop();
}

static void test_all_of_a_group_are_notified(void)
{
    start_group();
    rig_ask(&rig, &a, 1);
    rig_ask(&rig, &c, 3);
    rig_emit(&rig, 2, 4); /* 4 is queued */
    CHECK_TEXT(rig_words(&rig), "A[2] C[3 5]");
    rig_notify(&rig, 7);
    CHECK_TEXT(rig_words(&rig), "C!7");
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[4] A!7 B!7 done7");
    stop();
}

static void test_partition_of(void)
{
    start_group();
    CHECK_TEXT(rig.ops->queues->partition_of(rig.state, &b), "even");
    CHECK_TEXT(rig.ops->queues->partition_of(rig.state, &c), "odd");
    stop();
}

/* ------------------------------------------------------------------ limits */

static void start_limit(sh_partition_opts opts)
{
    CHECK_INT(start(opts, NULL), SH_OK);
    CHECK_INT(subscribe(&a, &stages[0], "even"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "odd"), SH_OK);
}

static void emit_even(int64_t first, int n)
{
    for (int64_t i = 0; i < n; i++)
        rig_emit(&rig, first + 2 * i, 1);
}

static void test_up_to_its_limit_a_queue_holds_up_nobody(void)
{
    start_limit((sh_partition_opts){.limit = 3});
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    emit_even(2, 3); /* A has not asked: queued, and b's 2 are still wanted */
    CHECK_INT(rig_credit(&rig), 2);
    CHECK_INT(rig.owed, 2);
    emit_even(8, 1);
    CHECK_INT(rig_credit(&rig), 1); /* one above the limit */
    emit_even(10, 1);
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig.owed, 0);
    rig_emit(&rig, 11, 2); /* nobody asked for them */
    CHECK_INT(rig.buffer.count, 2);
    CHECK_TEXT(rig_words(&rig), "");
    CHECK_INT(rig_ask(&rig, &a, 1), 0); /* one of the queue, so one for b */
    CHECK_TEXT(rig_words(&rig), "A[2] B[11]");
    CHECK_INT(rig_ask(&rig, &a, 10), 6);
    CHECK_TEXT(rig_words(&rig), "A[4 6 8 10] A[12]");
    CHECK_INT(rig_credit(&rig), 6);
    stop();
}

static void test_without_a_limit_it_does(void)
{
    start_limit((sh_partition_opts){0});
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    emit_even(2, 1);
    CHECK_INT(rig_credit(&rig), 1);
    emit_even(4, 1);
    CHECK_INT(rig_credit(&rig), 0);
    stop();
}

static void test_above_it_events_may_be_discarded(void)
{
    start_limit((sh_partition_opts){.limit = 3, .discards = true});
    rig_ask(&rig, &b, 2);
    emit_even(2, 5);
    CHECK_TEXT(rig_words(&rig), "full1:3 full1:3");
    CHECK_INT(rig_credit(&rig), 2);
    rig_emit(&rig, 11, 1);
    rig_ask(&rig, &a, 5);
    CHECK_TEXT(rig_words(&rig), "B[11] A[6 8 10]");
    stop();
    start_limit((sh_partition_opts){.limit = 3, .discards = true, .keep = SH_KEEP_FIRST});
    rig_ask(&rig, &b, 2);
    emit_even(2, 5);
    rig_ask(&rig, &a, 5);
    CHECK_TEXT(rig_words(&rig), "full1:3 full1:3 A[2 4 6]");
    CHECK_INT(rig.n_discarded, 2);
    stop();
}

static void test_discarding_sets_markers_free(void)
{
    start_limit((sh_partition_opts){.limit = 2, .discards = true});
    rig_ask(&rig, &b, 9);
    emit_even(2, 1);
    rig_notify(&rig, 5);
    CHECK_TEXT(rig_words(&rig), "B!5");
    emit_even(4, 1);
    CHECK_TEXT(rig_words(&rig), "");
    emit_even(6, 1);
    CHECK_TEXT(rig_words(&rig), "A!5 done5 full1:2");
    stop();
}

static void test_refusals(void)
{
    sh_error *error = NULL;
    CHECK_INT(start((sh_partition_opts){.discards = true}, &error), SH_EBADOPT);
    CHECK_TEXT(sh_error_get(error)->name, "limit_invalid");
    sh_error_unref(error);
    stop();
    error = NULL;
    CHECK_INT(start((sh_partition_opts){.limit = -1}, &error), SH_EBADOPT);
    sh_error_unref(error);
    stop();
}

int main(void)
{
    test_largest_demand_of_the_group_first();
    test_who_leaves_takes_its_demand_only();
    test_all_of_a_group_are_notified();
    test_partition_of();
    test_up_to_its_limit_a_queue_holds_up_nobody();
    test_without_a_limit_it_does();
    test_above_it_events_may_be_discarded();
    test_discarding_sets_markers_free();
    test_refusals();
    return test_end();
}

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "events/batch.h"
#include "integer_splitter.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[3] = {{"A"}, {"B"}, {"C"}};
static sh_subscription a, b, c;

static int parity_skip_threes(int64_t event, size_t n)
{
    (void)n;
    return event % 3 == 0 ? TO_NONE : (int)(event % 2);
}

static int to_none(int64_t event, size_t n)
{
    (void)event;
    (void)n;
    return TO_NONE;
}

/* ------------------------------------------------------------------ starting */

static const char *const names[] = {"0", "1", "2", "3"};

/* n partitions "0", "1" ... without consumers. */
static void start(size_t n, integer_hash hash)
{
    sh_partition_opts opts = {
        .names = names, .n = n, .splitter = integer_splitter(hash, NULL)};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, 0, NULL), SH_OK);
}

static int subscribe(sh_subscription *sub, sh_stage *stage, const char *partition)
{
    sh_subscribe_opts opts = {.partition = partition};
    *sub = (sh_subscription)RIG_SUBSCRIPTION(stage);
    return rig_subscribe(&rig, sub, &opts);
}

static void start_two(integer_hash hash)
{
    start(2, hash);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
}

static void stop(void)
{
    rig_fini(&rig);
}

static void refuse_init(const sh_partition_opts *opts, const char *name, const char *part)
{
    sh_error *error = NULL;
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, opts, 0, &error), SH_EBADOPT);
    CHECK_TEXT(sh_error_get(error)->name, name);
    CHECK_INT(sh_error_get(error)->code, SH_EBADOPT);
    CHECK(strstr(sh_error_get(error)->message, part) != NULL);
    sh_error_unref(error);
    stop();
}

static void test_init_errors(void)
{
    int n_freed = 0;
    const char *const twice[] = {"odd", "even", "odd"};
    const char *const none[] = {"odd", "none"};
    const char *const empty[] = {""};
    refuse_init(NULL, "partitions_required", "partitions");
    refuse_init(
        &(sh_partition_opts){.splitter = integer_splitter(integer_modulo, &n_freed)},
        "partitions_required", "partitions");
    refuse_init(
        &(sh_partition_opts){
            .names = twice, .n = 3, .splitter = integer_splitter(integer_modulo, &n_freed)},
        "partitions_invalid", "odd");
    refuse_init(
        &(sh_partition_opts){
            .names = none, .n = 2, .splitter = integer_splitter(integer_modulo, &n_freed)},
        "partitions_invalid", "none");
    refuse_init(&(sh_partition_opts){.names = empty, .n = 1}, "partitions_invalid",
                "called");
    CHECK_INT(n_freed, 3);
}

static void refuse_subscribe(const char *partition, const char *name, const char *part)
{
    sh_subscription sub = RIG_SUBSCRIPTION(&stages[2]);
    sh_subscribe_opts opts = {.partition = partition};
    sh_error *error = NULL;
    CHECK_INT(rig.ops->subscribe(rig.state, &sub, &opts, &error), SH_EFAILED);
    CHECK_TEXT(sh_error_get(error)->name, name);
    CHECK(strstr(sh_error_get(error)->message, part) != NULL);
    sh_error_unref(error);
}

static void test_subscribe_errors(void)
{
    start_two(integer_modulo);
    refuse_subscribe(NULL, "partition_required", "the partitions are: 0, 1");
    refuse_subscribe("2", "partition_unknown", "2 is unknown; the partitions are: 0, 1");
    refuse_subscribe("-1", "partition_unknown", "-1");
    refuse_subscribe("oops", "partition_unknown", "oops");
    refuse_subscribe("0", "partition_taken", "0 already has a consumer");
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    rig_cancel(&rig, &a);
    CHECK_INT(subscribe(&c, &stages[2], "0"), SH_OK);
    stop();
}

static void test_many_names(void)
{
    enum { N = 2000 };
    static char text[N][12];
    static const char *many[N];
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "%d", i);
        many[i] = text[i];
    }
    sh_partition_opts opts = {
        .names = many, .n = N, .splitter = integer_splitter(integer_modulo, NULL)};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, 0, NULL), SH_OK);
    refuse_subscribe("2000", "partition_unknown", "0, 1, 2, 3,");
    refuse_subscribe("2000", "partition_unknown", "...");
    CHECK_INT(subscribe(&a, &stages[0], "1999"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "7"), SH_OK);
    rig_ask(&rig, &a, 2);
    rig_ask(&rig, &b, 2);
    rig_emit(&rig, 1999, 1);
    rig_emit(&rig, 2007, 1);
    CHECK_TEXT(rig_words(&rig), "A[1999] B[2007]");
    stop();
}

/* ------------------------------------------------------------------ demand and queues */

static void test_spreading(void)
{
    start_two(integer_modulo);
    CHECK_INT(rig_ask(&rig, &a, 4), 4);
    CHECK_INT(rig_ask(&rig, &b, 4), 4);
    rig_emit(&rig, 0, 10);
    CHECK_TEXT(rig_words(&rig), "A[0 2 4 6] B[1 3 5 7]");
    CHECK_INT(rig.buffer.count, 2);
    CHECK_INT(rig_credit(&rig), 0);
    stop();
}

static void test_one_partition(void)
{
    start(1, integer_modulo);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    rig_emit(&rig, 1, 1);
    CHECK_INT(rig_ask(&rig, &a, 3), 3);
    rig_emit(&rig, 2, 7);
    CHECK_TEXT(rig_words(&rig), "A[1] A[2 3 4 5 6]");
    CHECK_INT(rig.buffer.count, 2);
    stop();
}

static void test_demand_of_one_who_left_counts_as_asked(void)
{
    start(2, integer_modulo);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_cancel(&rig, &a), 0);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    CHECK_INT(rig_ask(&rig, &b, 5), 0);
    CHECK_INT(rig_cancel(&rig, &b), 0);
    rig_emit(&rig, 1, 4); /* what is owed is taken, though nobody asks for it now */
    CHECK_INT(rig.buffer.count, 0);
    CHECK_INT(rig.owed, 6);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_ALL), 4);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_PRESENT), 0);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_PRESENT), 2);
    CHECK_INT(rig_ask(&rig, &b, 1), 0);
    CHECK_TEXT(rig_words(&rig), "B[1]");
    stop();
}

static void test_queues(void)
{
    start(2, integer_modulo);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    CHECK_INT(rig_ask(&rig, &b, 5), 5);
    for (int64_t i = 0; i < 5; i++)
        rig_emit(&rig, 2 * i, 1);
    CHECK_INT(rig.buffer.count, 0);
    CHECK_INT(rig_credit(&rig), 0);
    rig_emit(&rig, 10, 1);
    CHECK_INT(rig.buffer.count, 1);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 5), 4); /* 5 from the queue, 1 more from the buffer */
    CHECK_TEXT(rig_words(&rig), "A[0 2 4 6 8]");
    stop();

    start_two(integer_modulo);
    CHECK_INT(rig_ask(&rig, &a, 5), 5);
    CHECK_INT(rig_ask(&rig, &b, 5), 5);
    for (int64_t i = 0; i < 10; i++)
        rig_emit(&rig, 2 * i, 1);
    CHECK_TEXT(rig_words(&rig), "A[0] A[2] A[4] A[6] A[8]");
    CHECK_INT(rig_credit(&rig), 0);
    CHECK_INT(rig_ask(&rig, &a, 7), 7);
    CHECK_TEXT(rig_words(&rig), "A[10 12 14 16 18]");
    rig_emit(&rig, 20, 1);
    CHECK_TEXT(rig_words(&rig), "A[20]");
    stop();
}

static void test_queue_waits_for_the_next_consumer(void)
{
    start_two(integer_modulo);
    rig_ask(&rig, &a, 6);
    rig_emit(&rig, 0, 6);
    CHECK_TEXT(rig_words(&rig), "A[0 2 4]");
    CHECK_INT(rig_ask(&rig, &b, 1), 1);
    CHECK_INT(rig_cancel(&rig, &b), 0);
    CHECK_INT(subscribe(&c, &stages[2], "1"), SH_OK);
    rig_ask(&rig, &c, 5);
    CHECK_TEXT(rig_words(&rig), "B[1] C[3 5]");
    stop();
}

/* ------------------------------------------------------------------ discarding */

static void start_discarding(void)
{
    sh_partition_opts opts = {.names = names,
                              .n = 2,
                              .splitter = integer_splitter(integer_modulo, NULL),
                              .discards_abandoned = true};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, 0, NULL), SH_OK);
}

static void test_what_the_last_consumer_leaves_is_discarded(void)
{
    start_discarding();
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 6), 6);
    rig_emit(&rig, 1, 3); /* nobody has left partition 1 yet */
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    CHECK_INT(rig_ask(&rig, &b, 1), 1);
    CHECK_TEXT(rig_words(&rig), "A[2] B[1]");
    CHECK_INT(rig_cancel(&rig, &b),
              1); /* the demand that 3 was queued for is met by another */
    CHECK_TEXT(rig_words(&rig), "drop1");
    CHECK_INT(rig_emit(&rig, 4, 4), 2); /* and so is that of 5 and 7 */
    CHECK_TEXT(rig_words(&rig), "A[4 6] drop2");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_ALL), 0);
    CHECK_INT(subscribe(&c, &stages[2], "1"), SH_OK);
    rig_emit(&rig, 9, 1);
    CHECK_INT(rig_ask(&rig, &c, 1), 1);
    CHECK_TEXT(rig_words(&rig), "C[9]");
    stop();
}

static void test_a_consumer_that_is_replaced_leaves_it_too(void)
{
    start_discarding();
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 2), 2);
    rig_emit(&rig, 1, 1);
    CHECK_INT(rig_replace(&rig, &b), 1);
    CHECK_TEXT(rig_words(&rig), "drop1");
    stop();
}

static void test_events_that_came_back_are_kept(void)
{
    start_discarding();
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    void *place = rig_place(&rig, &b);
    CHECK_INT(rig_ask(&rig, &a, 2), 2);
    rig_emit(&rig, 5, 1);
    rig_give_back(&rig, place, 3, 1);
    CHECK_INT(rig_cancel(&rig, &b), 0); /* 3 still counts against what a asks for */
    CHECK_TEXT(rig_words(&rig), "drop1");
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[3]");
    stop();
}

/* They come when their consumer has gone already: another one is to have them, and what follows. */
static void test_who_gives_back_expects_another(void)
{
    start_discarding();
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    void *place = rig_place(&rig, &b);
    rig_cancel(&rig, &b);
    rig_give_back(&rig, place, 3, 1);
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_EXPECTED), 1);
    CHECK_INT(rig_ask(&rig, &a, 2), 1);
    rig_emit(&rig, 5, 1);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    rig_ask(&rig, &b, 2);
    CHECK_TEXT(rig_words(&rig), "B[3] B[5]");
    stop();
}

static void test_clear(void)
{
    start_two(integer_modulo);
    CHECK_INT(rig_ask(&rig, &a, 6), 6);
    rig_emit(&rig, 1, 1);
    rig_emit(&rig, 3, 1);
    rig_notify(&rig, 100);
    rig_info(&rig, 101);
    CHECK_TEXT(rig_words(&rig), "A!100");
    rig_cancel(&rig, &a);
    rig_cancel(&rig, &b);
    CHECK_TEXT(rig_words(&rig), "done101");
    CHECK_INT(rig_clear(&rig), 2);
    CHECK_TEXT(rig_words(&rig), "done100");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_ALL), 0);
    stop();
}

/* ------------------------------------------------------------------ events for nobody */

static void test_none_costs_nothing(void)
{
    start(2, parity_skip_threes);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(subscribe(&b, &stages[1], "1"), SH_OK);
    rig_ask(&rig, &a, 4);
    rig_ask(&rig, &b, 4);
    rig_emit(&rig, 1, 12);
    CHECK_TEXT(rig_words(&rig), "A[2 4 8 10] B[1 5 7 11] none3");
    CHECK_INT(rig.buffer.count, 1);
    stop();

    start(1, to_none);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    CHECK_INT(rig_ask(&rig, &a, 10), 10);
    CHECK_INT(rig_emit(&rig, 1, 10), 10); /* what went to nobody is asked for again */
    CHECK_TEXT(rig_words(&rig), "none10");
    stop();
}

static void test_bad_events(void)
{
    start(2, integer_with_holes);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    rig_ask(&rig, &a, 6);
    rig_emit(&rig, 20, 6);
    CHECK_TEXT(rig_words(&rig), "A[20 24 25] none1 bad1?bad_event");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_ALL), 1);
    stop();
}

static void test_failing_splitter(void)
{
    start(1, NULL);
    CHECK_INT(subscribe(&a, &stages[0], "0"), SH_OK);
    a.outstanding = 5;
    rig.ops->ask(rig.state, &a, 5, &rig.out);
    sh_batch batch = rig_integers(1, 3);
    sh_error *error = NULL;
    CHECK_INT(rig.ops->dispatch(rig.state, batch, &rig.out, &error), SH_EFAILED);
    CHECK_TEXT(sh_error_get(error)->name, "oops");
    sh_error_unref(error);
    sh_batch_unref(batch);
    stop();
}

/* ------------------------------------------------------------------ memory */

static bool run_out_of_memory(uint64_t nth)
{
    sh_partition_opts opts = {
        .names = names, .n = 2, .splitter = integer_splitter(integer_modulo, NULL)};
    sh_error *error = NULL;
    sh__alloc_fail_nth(nth);
    int status = rig_init(&rig, &sh_dispatcher_partition, &opts, 0, &error);
    bool failed = !sh__alloc_is_armed();
    sh__alloc_fail_nth(0);
    CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
    CHECK_INT(sh_error_get(error)->code, failed ? SH_ENOMEM : SH_OK);
    sh_error_unref(error);
    stop();
    return failed;
}

static void test_out_of_memory(void)
{
    for (uint64_t nth = 1; run_out_of_memory(nth); nth++)
        continue;

    /* Queueing fails: the producer ends with the error, nothing leaks. */
    sh_error *error = NULL;
    sh_batch batch = rig_integers(1, 4);
    sh_partition_opts opts = {.names = names, .n = 2};
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, 0, NULL), SH_OK);
    rig.out.owed = 4;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        sh__alloc_fail_nth(nth);
        int64_t taken = rig.ops->dispatch(rig.state, batch, &rig.out, &error);
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(taken, failed ? SH_ENOMEM : 4);
        sh_error_unref(error);
        error = NULL;
    }
    sh_batch_unref(batch);
    stop();
}

int main(void)
{
    test_init_errors();
    test_subscribe_errors();
    test_many_names();
    test_spreading();
    test_one_partition();
    test_demand_of_one_who_left_counts_as_asked();
    test_queues();
    test_queue_waits_for_the_next_consumer();
    test_what_the_last_consumer_leaves_is_discarded();
    test_a_consumer_that_is_replaced_leaves_it_too();
    test_events_that_came_back_are_kept();
    test_who_gives_back_expects_another();
    test_clear();
    test_none_costs_nothing();
    test_bad_events();
    test_failing_splitter();
    test_out_of_memory();
    return test_end();
}

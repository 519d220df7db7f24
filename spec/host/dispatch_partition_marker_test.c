/* SPDX-License-Identifier: MIT
 *
 * Infos and notifications among the queues of partitions. */
#include "base/alloc.h"
#include "dispatch_rig.h"
#include "integer_splitter.h"
#include "test.h"

static struct rig rig;
static sh_stage stages[3] = {{"A"}, {"B"}, {"C"}};
static sh_subscription a, b, c;

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

static void test_info_at_once(void)
{
    start(2, integer_modulo);
    rig_info(&rig, 100);
    CHECK_TEXT(rig_words(&rig), "done100");
    subscribe(&a, &stages[0], "0");
    rig_ask(&rig, &a, 4);
    rig_info(&rig, 101);
    CHECK_TEXT(rig_words(&rig), "done101");
    stop();
}

static void test_info_waits_for_queues(void)
{
    start_two(integer_modulo);
    CHECK_INT(rig_ask(&rig, &a, 6), 6);
    for (int i = 1; i <= 5; i += 2)
        rig_emit(&rig, i, 1);
    rig_info(&rig, 100);
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    CHECK_TEXT(rig_words(&rig), "B[1 3]");
    CHECK_INT(rig_ask(&rig, &b, 2), 2);
    CHECK_TEXT(rig_words(&rig), "B[5] done100");
    rig_info(&rig, 101);
    CHECK_TEXT(rig_words(&rig), "done101");
    stop();

    start(3, integer_modulo);
    subscribe(&a, &stages[0], "0");
    subscribe(&b, &stages[1], "1");
    subscribe(&c, &stages[2], "2");
    CHECK_INT(rig_ask(&rig, &a, 6), 6);
    rig_emit(&rig, 1, 2);
    rig_emit(&rig, 4, 2);
    rig_info(&rig, 100);
    CHECK_INT(rig_ask(&rig, &b, 9), 9);
    CHECK_TEXT(rig_words(&rig), "B[1 4]");
    CHECK_INT(rig_ask(&rig, &c, 9), 9);
    CHECK_TEXT(rig_words(&rig), "C[2 5] done100");
    CHECK_INT(rig_ask(&rig, &b, 1), 1);
    stop();
}

static void test_markers_split_messages(void)
{
    start_two(integer_modulo);
    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 1);
    rig_emit(&rig, 3, 1);
    rig_info(&rig, 100);
    rig_info(&rig, 101);
    rig_emit(&rig, 5, 1);
    rig_notify(&rig, 102);
    CHECK_TEXT(rig_words(&rig), "A!102");
    rig_ask(&rig, &b, 9);
    CHECK_TEXT(rig_words(&rig), "B[1 3] done100 done101 B[5] B!102 done102");
    stop();
}

/* As in GenStage: an info behind the last event taken waits for the next ask, if there are
 * more events. */
static void test_info_before_more_events(void)
{
    start_two(integer_modulo);
    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 1);
    rig_emit(&rig, 3, 1);
    rig_info(&rig, 100);
    rig_notify(&rig, 101);
    rig_emit(&rig, 5, 1);
    CHECK_TEXT(rig_words(&rig), "A!101");
    rig_ask(&rig, &b, 2);
    CHECK_TEXT(rig_words(&rig), "B[1 3] B!101 done101");
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "done100 B[5]");

    rig_emit(&rig, 7, 1);
    rig_info(&rig, 102);
    rig_emit(&rig, 9, 1);
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[7]");
    stop(); /* the info is still there */
}

static void test_notifications(void)
{
    start(3, integer_modulo);
    subscribe(&a, &stages[0], "0");
    subscribe(&b, &stages[1], "1");
    rig_notify(&rig, 100); /* nobody has a queue; the free partition gets nothing */
    CHECK_TEXT(rig_words(&rig), "A!100 B!100 done100");

    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 2); /* 1 for B, 2 for the free one */
    rig_notify(&rig, 101);
    CHECK_TEXT(rig_words(&rig), "A!101");
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[1] B!101");
    rig_cancel(&rig, &b);
    subscribe(&c, &stages[2], "2");
    rig_ask(&rig, &c, 1);
    CHECK_TEXT(rig_words(&rig), "C[2] C!101 done101");
    stop();
}

static void test_infos_do_not_wait_for_those_who_have_left(void)
{
    start(3, integer_modulo);
    subscribe(&a, &stages[0], "0");
    subscribe(&b, &stages[1], "1");
    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 2); /* 2 for the free one, somebody is still to come for it */
    rig_info(&rig, 100);
    rig_notify(&rig, 101);
    rig_cancel(&rig, &b);
    CHECK_TEXT(rig_words(&rig), "A!101");
    subscribe(&c, &stages[2], "2");
    rig_ask(&rig, &c, 1);
    CHECK_TEXT(rig_words(&rig), "C[2] done100 C!101");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_EXPECTED), 0);
    rig_info(&rig, 102);
    CHECK_TEXT(rig_words(&rig), "done102");

    subscribe(&b, &stages[1], "1"); /* from now on it is waited for again */
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_EXPECTED), 1);
    rig_info(&rig, 103);
    CHECK_TEXT(rig_words(&rig), "");
    rig_ask(&rig, &b, 1);
    CHECK_TEXT(rig_words(&rig), "B[1] B!101 done101 done103");
    stop();
}

static void test_infos_wait_for_whoever_comes_in_the_place_of_another(void)
{
    start_two(integer_modulo);
    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 1);
    rig_info(&rig, 100);
    rig_replace(&rig, &b);
    CHECK_TEXT(rig_words(&rig), "");
    CHECK_INT(rig.ops->queues->held(rig.state, SH_HELD_EXPECTED), 1);
    subscribe(&c, &stages[2], "1");
    rig_ask(&rig, &c, 1);
    CHECK_TEXT(rig_words(&rig), "C[1] done100");
    stop();
}

static void test_markers_in_queues_at_the_end(void)
{
    start(3, integer_modulo);
    subscribe(&a, &stages[0], "0");
    rig_ask(&rig, &a, 9);
    rig_emit(&rig, 1, 2);
    rig_notify(&rig, 100);
    rig_info(&rig, 101);
    CHECK_TEXT(rig_words(&rig), "A!100");
    stop(); /* in two queues each; the leak checker looks on */
}

static void test_mark_out_of_memory(void)
{
    start_two(integer_modulo);
    rig_ask(&rig, &a, 99);
    for (int i = 0; i < 8; i++) /* the queue's ring is full now */
        rig_emit(&rig, 2 * i + 1, 1);
    sh_marker *marker = sh__marker_new(SH__MARKER_NOTIFICATION, rig_integers(100, 1));
    sh__alloc_fail_nth(1);
    CHECK_INT(rig.ops->queues->mark(rig.state, marker, &rig.out), SH_ENOMEM);
    CHECK_TEXT(rig_words(&rig), "");
    CHECK_INT(rig.ops->queues->mark(rig.state, marker, &rig.out), SH_OK);
    CHECK_TEXT(rig_words(&rig), "A!100");

    /* Events are sent all the same, in more messages. */
    b.outstanding = 8;
    sh__alloc_fail_nth(1);
    rig.ops->ask(rig.state, &b, 3, &rig.out);
    CHECK_TEXT(rig_words(&rig), "B[1] B[3 5]");
    rig.ops->ask(rig.state, &b, 5, &rig.out);
    CHECK_TEXT(rig_words(&rig), "B[7 9 11 13 15] B!100 done100");
    stop();
}

int main(void)
{
    test_info_at_once();
    test_info_waits_for_queues();
    test_markers_split_messages();
    test_info_before_more_events();
    test_notifications();
    test_infos_do_not_wait_for_those_who_have_left();
    test_infos_wait_for_whoever_comes_in_the_place_of_another();
    test_markers_in_queues_at_the_end();
    test_mark_out_of_memory();
    return test_end();
}

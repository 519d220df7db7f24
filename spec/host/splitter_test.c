/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "events/batch.h"
#include "test.h"

enum { MOST_PARTS = 16 };

static sh_splitter *splitter;
static sh_batch parts[MOST_PARTS];

/* Splits, checks that every event went to one partition, in order; returns the number
 * taken. */
static uint32_t split(sh_batch in, uint32_t limit, size_t n_parts)
{
    sh_split_job job = {.in = in, .limit = limit, .n_parts = n_parts, .parts = parts};
    CHECK_INT(splitter->split(splitter, &job), SH_OK);
    CHECK_INT(job.skipped, 0);
    CHECK_INT(job.bad, 0);
    CHECK_POINTER(job.error, NULL);
    uint32_t n = 0;
    for (size_t p = 0; p < n_parts; p++)
        n += parts[p].n;
    CHECK_INT(n, job.taken);
    return job.taken;
}

static void drop_parts(size_t n_parts)
{
    for (size_t p = 0; p < n_parts; p++)
        sh_batch_unref(parts[p]);
}

/* The partition of one value of 16. */
static size_t partition_of(sh_value value)
{
    sh_batch batch;
    size_t found = 0;
    sh_batch_from_values(&value, 1, &batch);
    split(batch, 1, MOST_PARTS);
    for (size_t p = 0; p < MOST_PARTS; p++)
        if (parts[p].n > 0)
            found = p;
    drop_parts(MOST_PARTS);
    sh_batch_unref(batch);
    return found;
}

static sh_value string(const char *text)
{
    return (sh_value){.type = SH_STRING, .u.string = {text, strlen(text)}};
}

static void test_order_and_evenness(void)
{
    enum { N = 8000, N_PARTS = 8 };
    bool seen[N] = {false};
    sh_batch batch = rig_integers(0, N);
    CHECK_INT(split(batch, UINT32_MAX, N_PARTS), N);
    for (size_t p = 0; p < N_PARTS; p++) {
        CHECK(parts[p].n > N / N_PARTS * 8 / 10 && parts[p].n < N / N_PARTS * 12 / 10);
        for (uint32_t i = 0; i < parts[p].n; i++) {
            CHECK(i == 0 || rig_integer(parts[p], i - 1) < rig_integer(parts[p], i));
            seen[rig_integer(parts[p], i)] = true;
        }
    }
    for (int i = 0; i < N; i++)
        CHECK(seen[i]);
    drop_parts(N_PARTS);
    sh_batch_unref(batch);
}

static void test_limit(void)
{
    sh_batch batch = rig_integers(0, 10);
    CHECK_INT(split(batch, 4, 3), 4);
    drop_parts(3);
    CHECK_INT(split(batch, 10, 3), 10);
    drop_parts(3);
    sh_batch_unref(batch);
}

static void test_one_partition_shares_the_list(void)
{
    sh_batch batch = rig_integers(0, 10);
    split(batch, 7, 1);
    CHECK_POINTER(parts[0].list, batch.list);
    CHECK_INT(parts[0].n, 7);
    drop_parts(1);
    sh_batch_unref(batch);
}

/* Equal values go together, whatever they are made of. */
static void test_structure(void)
{
    for (int64_t i = -50; i < 50; i++) {
        sh_value integer = {.type = SH_INTEGER, .u.integer = i};
        sh_value number = {.type = SH_NUMBER, .u.number = (double)i};
        CHECK_INT((int64_t)partition_of(integer), (int64_t)partition_of(number));
    }
    sh_value zero = {.type = SH_NUMBER, .u.number = 0.0};
    sh_value minus = {.type = SH_NUMBER, .u.number = -0.0};
    CHECK_INT((int64_t)partition_of(zero), (int64_t)partition_of(minus));

    char copy[] = "customer 17";
    CHECK_INT((int64_t)partition_of(string("customer 17")),
              (int64_t)partition_of(string(copy)));

    sh_value one[] = {
        string("id"), {.type = SH_INTEGER, .u.integer = 1}, string("name"), string("x")};
    sh_value other[] = {one[2], one[3], one[0], one[1]};
    sh_value map = {.type = SH_MAP, .u.map = {one, 2}};
    sh_value turned = {.type = SH_MAP, .u.map = {other, 2}};
    CHECK_INT((int64_t)partition_of(map), (int64_t)partition_of(turned));

    /* Unlike values spread: no kind of value falls into one partition only. */
    size_t first = partition_of((sh_value){.type = SH_NUMBER, .u.number = 0.5});
    bool differ = false;
    for (int i = 1; i < 20; i++)
        differ |= partition_of((sh_value){.type = SH_NUMBER, .u.number = i + 0.5}) != first;
    CHECK(differ);
    differ = false;
    for (int64_t i = 0; i < 20; i++) {
        sh_value item = {.type = SH_INTEGER, .u.integer = i};
        differ |= partition_of((sh_value){.type = SH_LIST, .u.list = {&item, 1}}) !=
                  partition_of((sh_value){.type = SH_LIST});
    }
    CHECK(differ);
    partition_of((sh_value){.type = SH_NIL});
    partition_of((sh_value){.type = SH_BOOLEAN, .u.boolean = true});
    partition_of((sh_value){.type = SH_POINTER, .u.pointer = {&differ, NULL}});
}

static void free_other(sh_list *list)
{
    free(list);
}

static void test_other_lists_are_refused(void)
{
    static const sh_list_ops other_ops = {.name = "other", .free = free_other};
    sh_list *other = malloc(sizeof *other);
    *other = (sh_list){&other_ops, 3, 1};
    sh_batch batch = {other, 0, 3};
    sh_split_job job = {.in = batch, .limit = 3, .n_parts = 2, .parts = parts};
    CHECK_INT(splitter->split(splitter, &job), SH_EFAILED);
    CHECK_TEXT(sh_error_get(job.error)->name, "hash_required");
    sh_error_unref(job.error);
    sh_batch_unref(batch);
}

static void test_out_of_memory(void)
{
    sh_batch batch = rig_integers(0, 100);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        sh_split_job job = {.in = batch, .limit = 100, .n_parts = 4, .parts = parts};
        sh__alloc_fail_nth(nth);
        sh_splitter *one = sh_splitter_default();
        int status = SH_ENOMEM;
        if (one) {
            status = one->split(one, &job);
            one->free(one);
        }
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK(status == SH_OK || !one || sh_error_get(job.error)->code == SH_ENOMEM);
        sh_error_unref(job.error);
        if (status == SH_OK)
            drop_parts(4);
        CHECK(failed || batch.list->refs == 1);
    }
    sh_batch_unref(batch);
}

int main(void)
{
    splitter = sh_splitter_default();
    test_order_and_evenness();
    test_limit();
    test_one_partition_shares_the_list();
    test_structure();
    test_other_lists_are_refused();
    splitter->free(splitter);
    test_out_of_memory();
    return test_end();
}

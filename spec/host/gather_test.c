/* SPDX-License-Identifier: MIT
 *
 * Putting events together: in order, none lost, as many as were wanted. */
#include "events/gather.h"

#include "events/batch.h"
#include "stagehost.h"
#include "test.h"

static sh_batch integers(int64_t first, uint32_t n)
{
    sh_value values[64];
    sh_batch batch;
    for (uint32_t i = 0; i < n; i++)
        values[i] = (sh_value){.type = SH_INTEGER, .u.integer = first + i};
    CHECK_INT(sh_batch_from_values(values, n, &batch), SH_OK);
    return batch;
}

/* Whether it holds next, next + 1 ...; frees it. */
static void check_order(sh_batch batch, int64_t next)
{
    const sh_value *values = sh_batch_values(batch);
    for (uint32_t i = 0; i < batch.n; i++)
        CHECK_INT(values[i].u.integer, next + i);
    sh_batch_unref(batch);
}

static void test_slices(void)
{
    struct sh__gather gather;
    sh_batch out;
    sh__gather_init(&gather, 4);
    CHECK_INT(sh__gather_add(&gather, integers(0, 3)), SH_OK);
    CHECK_INT(sh__gather_whole(&gather), 0);
    CHECK_INT(sh__gather_add(&gather, integers(3, 7)), SH_OK);
    CHECK_INT(sh__gather_whole(&gather), 8);
    CHECK_INT(sh__gather_take(&gather, NULL, 8, &out), SH_OK);
    CHECK_INT(out.n, 8);
    check_order(out, 0);
    CHECK_INT(gather.n, 2);
    CHECK_INT(sh__gather_take(&gather, NULL, 1, &out), SH_OK);
    check_order(out, 8);
    CHECK_INT(sh__gather_take(&gather, NULL, 1, &out), SH_OK);
    check_order(out, 9);
    CHECK_INT(gather.n, 0);
    CHECK_INT(sh__gather_add(&gather, integers(0, 5)), SH_OK);
    sh__gather_fini(&gather);
    CHECK_INT(gather.n, 0);
}

static void test_random(uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    struct sh__gather gather;
    int64_t in = 0, out = 0;
    sh__gather_init(&gather, 1 + test_random_below(&random, 100));
    for (int i = 0; i < 300; i++) {
        uint32_t n = 1 + test_random_below(&random, 40);
        if (test_random_below(&random, 2)) {
            CHECK_INT(sh__gather_add(&gather, integers(in, n)), SH_OK);
            in += n;
        } else if (gather.n > 0) {
            int64_t want = test_random_below(&random, 2)
                               ? sh__gather_whole(&gather)
                               : 1 + test_random_below(&random, (uint32_t)gather.n);
            sh_batch batch = {0};
            if (want == 0)
                continue;
            CHECK_INT(sh__gather_take(&gather, NULL, want, &batch), SH_OK);
            CHECK_INT(batch.n, want);
            int64_t first = out;
            out += batch.n;
            check_order(batch, first);
        }
        CHECK_INT(gather.n, in - out);
    }
    sh__gather_fini(&gather);
}

/* Lists of different kinds can't become one batch. */
static void other_free(sh_list *list)
{
    sh_free(list);
}

static const sh_list_ops other_ops = {.name = "other", .free = other_free};

static void test_kinds_meet(void)
{
    struct sh__gather gather;
    sh_batch out;
    sh_list *list = sh_malloc(sizeof *list);
    *list = (sh_list){.ops = &other_ops, .n = 5, .refs = 1};
    sh__gather_init(&gather, 4);
    CHECK_INT(sh__gather_add(&gather, integers(0, 2)), SH_OK);
    CHECK_INT(sh__gather_add(&gather, (sh_batch){.list = list, .n = 5}), SH_OK);
    CHECK_INT(sh__gather_take(&gather, NULL, 4, &out), SH_OK);
    CHECK_INT(out.n, 2);
    check_order(out, 0);
    CHECK_INT(gather.n, 5);
    CHECK_INT(sh__gather_take(&gather, NULL, 4, &out), SH_OK);
    CHECK_INT(out.n, 4);
    sh_batch_unref(out);
    CHECK_INT(sh__gather_take(&gather, NULL, 1, &out), SH_OK);
    CHECK_INT(out.first, 4);
    sh_batch_unref(out);
    sh__gather_fini(&gather);
}

int main(void)
{
    test_slices();
    test_kinds_meet();
    uint64_t seeds = test_seeds(200);
    for (uint64_t seed = 1; seed <= seeds; seed++)
        test_random(seed);
    return test_end();
}

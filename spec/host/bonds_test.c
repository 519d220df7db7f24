/* SPDX-License-Identifier: MIT
 *
 * The table of bonds against a plain array. */
#include "stage/bonds.h"

#include "test.h"

enum { PEERS = 4, KEYS = 48, STEPS = 4000 };

struct sh_stage {
    int refs;
};

static struct sh_stage peers[PEERS];

sh_stage *sh_stage_ref(sh_stage *stage)
{
    stage->refs++;
    return stage;
}

void sh_stage_unref(sh_stage *stage)
{
    stage->refs--;
}

static void check_same(const struct sh__bonds *bonds, sh_stage *const *model)
{
    uint32_t n = 0;
    for (uint64_t key = 1; key <= KEYS; key++) {
        const struct sh__bond *bond = sh__bonds_find(bonds, key);
        CHECK_POINTER(bond ? bond->peer : NULL, model[key]);
        n += model[key] != NULL;
    }
    CHECK_INT(bonds->n, n);
    CHECK(2 * bonds->n <= bonds->capacity || bonds->capacity == 0);
}

static void run(uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    struct sh__bonds bonds = {0};
    sh_stage *model[KEYS + 1] = {0};
    for (int step = 0; step < STEPS; step++) {
        uint64_t key = 1 + test_random_below(&random, KEYS);
        if (model[key]) {
            sh__bonds_remove(&bonds, sh__bonds_find(&bonds, key));
            model[key] = NULL;
        } else {
            model[key] = &peers[test_random_below(&random, PEERS)];
            CHECK_INT(sh__bonds_add(&bonds, key, model[key]), SH_OK);
        }
        if (step % 64 == 0)
            check_same(&bonds, model);
    }
    check_same(&bonds, model);
    sh__bonds_fini(&bonds);
    for (int i = 0; i < PEERS; i++)
        CHECK_INT(peers[i].refs, 0);
}

static void check_empty(void)
{
    struct sh__bonds bonds = {0};
    CHECK(!sh__bonds_find(&bonds, 1));
    sh__bonds_fini(&bonds);
    CHECK_INT(sh__bonds_add(&bonds, UINT64_MAX, &peers[0]), SH_OK);
    CHECK(sh__bonds_find(&bonds, UINT64_MAX));
    CHECK(!sh__bonds_find(&bonds, 1));
    sh__bonds_fini(&bonds);
    CHECK_INT(peers[0].refs, 0);
}

int main(void)
{
    check_empty();
    for (uint64_t seed = 1; seed <= test_seeds(20); seed++)
        run(seed);
    return test_end();
}

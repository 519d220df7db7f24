/* SPDX-License-Identifier: MIT
 *
 * Acknowledgement against a model: random pipelines whose stages are killed, or fail, at random
 * moments and are started again, drawn from a seed and run under a seeded run queue:
 *
 *   1  every event is handled exactly once, or has been delivered max_deliver times, or was
 *      among the results of a producer_consumer that was killed
 *   2  no event is delivered more often than its delivery count says, nor after it was handled
 *   3  what was not handled is what the ledger calls unfinished
 *   4  it comes to an end: nothing waits for an acknowledgement or a demand that is lost
 *
 *   ack_model_test [SEED]     one seed, told step by step; else $STAGEHOST_SEEDS of them
 *
 * A tenth of the seeds is run again on several workers. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ack_model/ack_model.h"

enum { USUAL_SEEDS = 2000, WORKERS = 3 };

static void draw(struct world *world)
{
    struct test_random *random = &world->random;
    *random = test_random_seed(world->seed);
    world->n_producers = 1 + (int)test_random_below(random, MOST_PRODUCERS);
    world->n_consumers = 1 + (int)test_random_below(random, 4);
    uint32_t between = test_random_below(random, 10);
    world->n_between = between < 6 ? 0 : between < 8 ? 1 : 2;
    world->kills_between = world->n_between > 0 && test_random_below(random, 2) == 0;
    world->n_events = 1 + test_random_below(random, MOST_EVENTS);
    world->max_demand = 1 + test_random_below(random, MOST_BATCH);
    world->max_deliver =
        test_random_below(random, 3) == 0 ? 1 + test_random_below(random, 3) : 1000;
    world->waits = test_random_below(random, 90);
    world->fails = test_random_below(random, 2) * test_random_below(random, 30);
    world->kills_left = (int)test_random_below(random, MOST_KILLS);
    world->fails_left = MOST_FAILS;
}

/* The last stages of the pipeline. */
static int64_t check_events(struct world *world)
{
    int64_t missing = 0;
    for (int p = 0; p < world->n_producers; p++)
        for (int64_t n = 0; n < world->emitted[p]; n++) {
            bool is_handled = world->handled[CONSUMER][p][n];
            bool was_given_up = world->delivered[CONSUMER][p][n] >= world->max_deliver ||
                                world->delivered[BETWEEN][p][n] >= world->max_deliver;
            missing += !is_handled;
            if (!is_handled && !was_given_up && !world->kills_between)
                ack_model_fail(world, "event %d is lost", (int)n);
        }
    return missing;
}

static void check(struct world *world)
{
    sh_host_summary summary;
    sh_host_get_summary(world->host, &summary);
    int64_t missing = check_events(world);
    for (int p = 0; p < world->n_producers; p++)
        if (world->emitted[p] != world->n_events)
            ack_model_fail(world, "only %d of %d events were emitted",
                           (int)world->emitted[p], (int)world->n_events);
    if (missing !=
        (int64_t)(summary.unfinished + summary.discarded + summary.dead_lettered))
        ack_model_fail(
            world,
            "%d events are missing; the ledger has %d unfinished, %d discarded, %d dead",
            (int)missing, (int)summary.unfinished, (int)summary.discarded,
            (int)summary.dead_lettered);
}

static void on_log(void *data, const sh_log_record *record)
{
    struct world *world = data;
    if (record->code == SH_LOG_EXCESS)
        ack_model_fail(world, "%s got more than it had asked for", record->stage);
}

static bool run(uint64_t seed, unsigned workers, bool traces)
{
    static struct world world;
    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.workers = workers;
    world.traces = traces;
    draw(&world);
    sh_host_opts opts = {.workers = workers,
                         .seeded = workers == 0,
                         .seed = seed,
                         .log = on_log,
                         .log_data = &world,
                         .log_level = SH_LOG_ERROR};
    sh_stage_opts driver = {
        .kind = SH_PROCESS, .ops = &ack_driver_ops, .arg = &world, .name = "driver"};
    CHECK_INT(sh_host_new(&opts, &world.host), SH_OK);
    CHECK_INT(
        sh_stage_start(sh_host_worker0(world.host), &driver, (sh_from){0}, NULL, NULL),
        SH_OK);
    sh_host_run(world.host);
    check(&world);
    for (int i = 0; i < world.n_producers; i++)
        sh_stage_unref(world.producers[i]);
    for (int i = 0; i < world.n_lives; i++)
        sh_stage_unref(world.lives[i].stage);
    sh_host_free(world.host);
    if (!CHECK(!atomic_load(&world.has_failed)))
        printf("seed %llu%s: %s\n", (unsigned long long)seed,
               workers ? " on several workers" : "", world.failure);
    return !atomic_load(&world.has_failed);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run(strtoull(argv[1], NULL, 10), 0, true);
        return test_end();
    }
    uint64_t seeds = test_seeds(USUAL_SEEDS);
    int failed = 0;
    for (uint64_t seed = 1; seed <= seeds && failed < 10; seed++)
        failed += !run(seed, 0, false);
    for (uint64_t seed = 1; seed <= seeds / 10 && failed < 10; seed++)
        failed += !run(seed, WORKERS, false);
    return test_end();
}

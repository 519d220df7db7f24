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
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stagehost.h"
#include "test.h"

enum {
    USUAL_SEEDS = 2000,
    WORKERS = 3,
    MOST_PRODUCERS = 2,
    MOST_EVENTS = 300,
    MOST_KILLS = 40,
    MOST_FAILS = 30,
    MOST_LIVES = MOST_KILLS + MOST_FAILS + 10,
    MOST_BATCH = 64,
    STUCK_MS = 20000,
    FIRST_WATCH = 100, /* refs of the driver: the end of a life; below: timers */
};

enum role { BETWEEN, CONSUMER };

/* One life of a stage that may be killed. */
struct life {
    struct world *world;
    enum role role;
    int index;
    sh_stage *stage; /* a reference */
    struct test_random random;
    _Atomic bool has_ended;
    _Atomic bool is_waiting;
    uint64_t wakes;
    int64_t batch[MOST_BATCH];
    uint32_t n;
};

struct world {
    uint64_t seed;
    unsigned workers; /* 0: one, seeded */
    bool traces;
    struct test_random random;
    sh_host *host;
    sh_stage *driver, *producers[MOST_PRODUCERS];
    int n_producers, n_consumers, n_between, n_lives, kills_left;
    bool kills_between;
    int64_t n_events, max_demand;
    uint32_t max_deliver, waits, fails;
    int64_t emitted[MOST_PRODUCERS];
    struct life lives[MOST_LIVES];
    _Atomic int fails_left;
    _Atomic int alive[2]; /* lives by role */
    _Atomic uint8_t delivered[2][MOST_PRODUCERS][MOST_EVENTS];
    _Atomic uint8_t handled[2][MOST_PRODUCERS][MOST_EVENTS];
    _Atomic bool has_failed;
    char failure[256];
};

static void fail(struct world *world, const char *fmt, ...)
{
    if (atomic_exchange(&world->has_failed, true))
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(world->failure, sizeof world->failure, fmt, args);
    va_end(args);
}

#define TRACE(world, ...)                                                                  \
    do {                                                                                   \
        if ((world)->traces)                                                               \
            printf(__VA_ARGS__);                                                           \
    } while (0)

/* -- producers --------------------------------------------------------------------------- */

struct source {
    struct world *world;
    int index;
};

static int source_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)self, (void)r;
    memcpy(state, arg, sizeof(struct source));
    free(arg);
    return SH_DONE;
}

static int on_demand(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    const struct source *source = state;
    struct world *world = source->world;
    int64_t *emitted = &world->emitted[source->index];
    sh_value values[MOST_EVENTS];
    size_t count = 0;
    (void)self;
    for (; n > 0 && *emitted < world->n_events; n--)
        values[count++] = (sh_value){
            .type = SH_INTEGER, .u.integer = (int64_t)source->index << 32 | (*emitted)++};
    r->stop = *emitted == world->n_events;
    return count == 0 ? SH_DONE : sh_batch_from_values(values, count, &r->events);
}

/* -- the stages that are killed ---------------------------------------------------------- */

static struct life *life_of(void *state)
{
    return *(struct life **)state;
}

static int life_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)self, (void)r;
    *(void **)state = arg;
    return SH_DONE;
}

static void life_destroy(sh_stage *self, void *state, void *arg)
{
    struct life *life = state && life_of(state) ? life_of(state) : arg;
    (void)self;
    atomic_store(&life->has_ended, true);
    life->is_waiting = false;
}

/* handle_events has come to its end. */
static int handle_batch(struct life *life, sh_result *r)
{
    struct world *world = life->world;
    bool may_fail = life->role == CONSUMER || world->kills_between;
    if (may_fail && test_random_below(&life->random, 1000) < world->fails &&
        atomic_fetch_sub(&world->fails_left, 1) > 0) {
        TRACE(world, "    %d fails\n", life->index);
        r->reason = sh_error_fmt(SH_REASON_CUSTOM, 0, "oops", "oops");
        return SH_EFAILED;
    }
    sh_value values[MOST_BATCH];
    for (uint32_t i = 0; i < life->n; i++) {
        int64_t event = life->batch[i];
        if (atomic_fetch_add(&world->handled[life->role][event >> 32][event & 0xffff], 1))
            fail(world, "event %d is handled twice", (int)(event & 0xffff));
        values[i] = (sh_value){.type = SH_INTEGER, .u.integer = event};
    }
    TRACE(world, "    %d has handled %u\n", life->index, life->n);
    return life->role == BETWEEN ? sh_batch_from_values(values, life->n, &r->events)
                                 : SH_DONE;
}

static int on_events(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                     sh_result *r)
{
    struct life *life = life_of(state);
    struct world *world = life->world;
    const sh_value *values = sh_batch_values(events);
    uint32_t told = sh_subscription_deliveries(from);
    life->n = events.n;
    for (uint32_t i = 0; i < events.n; i++) {
        int64_t event = life->batch[i] = values[i].u.integer;
        _Atomic uint8_t *delivered =
            &world->delivered[life->role][event >> 32][event & 0xffff];
        uint32_t n = atomic_fetch_add(delivered, 1) + 1u;
        TRACE(world, "    %d gets %d, delivery %u of %u\n", life->index,
              (int)(event & 0xffff), n, told);
        if (n > told && !world->kills_between)
            fail(world, "event %d is delivered for the %uth time, it says %u",
                 (int)(event & 0xffff), n, told);
        if (world->handled[life->role][event >> 32][event & 0xffff])
            fail(world, "event %d is delivered after it was handled",
                 (int)(event & 0xffff));
    }
    if (test_random_below(&life->random, 100) >= world->waits)
        return handle_batch(life, r);
    life->is_waiting = true;
    if (world->workers)
        sh_timer_wake(self, 0, ++life->wakes, NULL);
    return SH_WAIT;
}

static void go_on(struct life *life, sh_stage *stage)
{
    sh_result r = {0};
    life->is_waiting = false;
    int status = handle_batch(life, &r);
    sh_stage_complete(stage, status, &r);
}

static void on_reply(sh_stage *self, void *state, uint64_t ref, int status, sh_batch value,
                     sh_error *error)
{
    struct life *life = life_of(state);
    (void)status, (void)error;
    sh_batch_unref(value);
    if (life->is_waiting && ref == life->wakes)
        go_on(life, self);
}

#define LIFE                                                                               \
    .size = sizeof(struct life *), .init = life_init, .destroy = life_destroy,             \
    .handle_events = on_events, .handle_reply = on_reply

static const sh_stage_ops source_ops = {
    .size = sizeof(struct source), .init = source_init, .handle_demand = on_demand};
static const sh_stage_ops life_ops = {LIFE};

/* -- the driver: supervises, kills, and lets what waits go on ------------------------------ */

static int place(const struct world *world, int i)
{
    return world->workers ? 1 + i % (int)world->workers : 0;
}

static void start_source(struct world *world, int index)
{
    struct source *source = malloc(sizeof *source);
    *source = (struct source){world, index};
    sh_stage_opts opts = {.kind = SH_PRODUCER,
                          .ops = &source_ops,
                          .arg = source,
                          .await_consumers = true,
                          .buffer_size = SH_BUFFER_INFINITY,
                          .worker = place(world, index)};
    CHECK_INT(sh_stage_start(sh_stage_worker(world->driver), &opts, (sh_from){0},
                             &world->producers[index], NULL),
              SH_OK);
}

/* A stage below others that crash stays; another one ends with them. */
static sh_subscribe_opts subscription(struct world *world, enum role role, sh_stage *to)
{
    int64_t max = 1 + test_random_below(&world->random, (uint32_t)world->max_demand);
    bool stays = role == CONSUMER && world->kills_between;
    return (sh_subscribe_opts){.to = to,
                               .cancel = stays ? SH_CANCEL_TEMPORARY : SH_CANCEL_PERMANENT,
                               .max_demand = max,
                               .min_demand =
                                   test_random_below(&world->random, (uint32_t)max),
                               .has_min = true,
                               .ack = true,
                               .max_deliver = world->max_deliver};
}

/* To every stage above that is alive: the last life of each BETWEEN, or the producers. */
static size_t draw_subscriptions(struct world *world, enum role role,
                                 sh_subscribe_opts *opts)
{
    size_t n = 0;
    for (int i = 0; role == CONSUMER && i < world->n_lives; i++)
        if (world->lives[i].role == BETWEEN && !atomic_load(&world->lives[i].has_ended))
            opts[n++] = subscription(world, role, world->lives[i].stage);
    for (int i = 0; (role == BETWEEN || world->n_between == 0) && i < world->n_producers;
         i++)
        if (sh_stage_is_alive(world->producers[i]))
            opts[n++] = subscription(world, role, world->producers[i]);
    return n;
}

static bool any_source_alive(const struct world *world)
{
    for (int i = 0; i < world->n_producers; i++)
        if (sh_stage_is_alive(world->producers[i]))
            return true;
    return false;
}

static void start_life(struct world *world, enum role role)
{
    sh_subscribe_opts subs[MOST_LIVES];
    size_t n = draw_subscriptions(world, role, subs);
    bool may_come =
        role == CONSUMER && any_source_alive(world); /* it is subscribed later */
    if ((n == 0 && !may_come) || world->n_lives == MOST_LIVES)
        return;
    struct life *life = &world->lives[world->n_lives];
    *life = (struct life){.world = world, .role = role, .index = world->n_lives};
    life->random = test_random_seed(world->seed * MOST_LIVES + (uint64_t)life->index);
    sh_worker *worker = sh_stage_worker(world->driver);
    sh_stage_opts opts = {.kind = role == BETWEEN ? SH_PRODUCER_CONSUMER : SH_CONSUMER,
                          .ops = &life_ops,
                          .arg = life,
                          .supervised = true,
                          .await_consumers = role == BETWEEN,
                          .end_with_last = true,
                          .worker = place(world, life->index),
                          .subscribe_to = subs,
                          .n_subscribe_to = n};
    if (sh_stage_start(worker, &opts, (sh_from){0}, &life->stage, NULL) < 0) {
        fail(world, "a stage does not start");
        return;
    }
    TRACE(world, "  %d starts: a %s\n", life->index,
          role == BETWEEN ? "between" : "consumer");
    world->n_lives++;
    atomic_fetch_add(&world->alive[role], 1);
    sh_stage_monitor(worker, life->stage,
                     (sh_from){world->driver, (uint64_t)(FIRST_WATCH + life->index)});
}

/* A stage above came back: everybody below subscribes to it. */
static void subscribe_consumers(struct world *world, sh_stage *to)
{
    for (int i = 0; i < world->n_lives; i++) {
        struct life *life = &world->lives[i];
        if (life->role != CONSUMER || atomic_load(&life->has_ended))
            continue;
        sh_subscribe_opts opts = subscription(world, CONSUMER, to);
        sh_stage_subscribe(sh_stage_worker(world->driver), life->stage, &opts, (sh_from){0},
                           NULL);
    }
}

static void on_end(struct world *world, struct life *dead, const sh_error *reason)
{
    atomic_fetch_sub(&world->alive[dead->role], 1);
    TRACE(world, "  %d has ended: %s\n", dead->index, sh_error_get(reason)->name);
    if (sh_error_is_clean(reason))
        return;
    int before = world->n_lives;
    start_life(world, dead->role);
    if (dead->role == BETWEEN && world->n_lives > before)
        subscribe_consumers(world, world->lives[before].stage);
}

static void kill_one(struct world *world)
{
    struct life *life =
        &world->lives[test_random_below(&world->random, (uint32_t)world->n_lives)];
    if (atomic_load(&life->has_ended) || (life->role == BETWEEN && !world->kills_between))
        return;
    TRACE(world, "  kills %d\n", life->index);
    world->kills_left--;
    sh_stage_kill(sh_stage_worker(world->driver), life->stage);
}

static void complete_some(struct world *world)
{
    for (int i = 0; i < world->n_lives; i++)
        if (world->lives[i].is_waiting && test_random_below(&world->random, 4) == 0)
            go_on(&world->lives[i], world->lives[i].stage);
}

/* What has no producers any more, because those were killed at the end, ends as well. */
static void end_the_rest(struct world *world)
{
    sh_worker *worker = sh_stage_worker(world->driver);
    for (int i = 0; i < world->n_lives; i++)
        if (!atomic_load(&world->lives[i].has_ended) && !world->lives[i].is_waiting)
            sh_stage_stop(worker, world->lives[i].stage, NULL, (sh_from){0});
}

static void next_tick(struct world *world)
{
    sh_error *error = NULL;
    sh_value none = {.type = SH_NIL};
    sh_batch message = {0};
    if (world->workers) {
        sh_timer_wake(world->driver, 1, 1, NULL);
    } else if (sh_batch_from_values(&none, 1, &message) == SH_OK) {
        sh_stage_send(sh_stage_worker(world->driver), world->driver, message, &error);
        sh_error_unref(error);
    }
}

static void tick(struct world *world)
{
    sh_worker *worker = sh_stage_worker(world->driver);
    if (!world->workers)
        complete_some(world);
    if (world->kills_left > 0 && test_random_below(&world->random, 20) == 0)
        kill_one(world);
    bool is_over = !any_source_alive(world) && atomic_load(&world->alive[BETWEEN]) == 0;
    if (is_over && atomic_load(&world->alive[CONSUMER]) == 0) {
        sh_stage_stop(worker, world->driver, NULL, (sh_from){0});
        return;
    }
    if (is_over)
        end_the_rest(world);
    next_tick(world);
}

static int on_tick(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)self, (void)message, (void)r;
    tick(*(struct world **)state);
    return SH_DONE;
}

static void driver_reply(sh_stage *self, void *state, uint64_t ref, int status,
                         sh_batch value, sh_error *error)
{
    struct world *world = *(struct world **)state;
    (void)self, (void)status;
    sh_batch_unref(value);
    if (ref >= FIRST_WATCH) {
        on_end(world, &world->lives[ref - FIRST_WATCH], error);
    } else if (ref == 1) {
        tick(world);
    } else {
        fail(world, "it does not come to an end");
        sh_host_stop(world->host);
    }
}

static int driver_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct world *world = arg;
    (void)r;
    *(struct world **)state = world;
    world->driver = self;
    sh_timer_wake(self, STUCK_MS, 2, NULL);
    for (int i = 0; i < world->n_producers; i++)
        start_source(world, i);
    for (int i = 0; i < world->n_between; i++)
        start_life(world, BETWEEN);
    for (int i = 0; i < world->n_consumers; i++)
        start_life(world, CONSUMER);
    next_tick(world);
    return SH_DONE;
}

static const sh_stage_ops driver_ops = {.size = sizeof(struct world *),
                                        .init = driver_init,
                                        .handle_info = on_tick,
                                        .handle_reply = driver_reply};

/* -- one seed ---------------------------------------------------------------------------- */

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
                fail(world, "event %d is lost", (int)n);
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
            fail(world, "only %d of %d events were emitted", (int)world->emitted[p],
                 (int)world->n_events);
    if (missing !=
        (int64_t)(summary.unfinished + summary.discarded + summary.dead_lettered))
        fail(world,
             "%d events are missing; the ledger has %d unfinished, %d discarded, %d dead",
             (int)missing, (int)summary.unfinished, (int)summary.discarded,
             (int)summary.dead_lettered);
}

static void on_log(void *data, const sh_log_record *record)
{
    struct world *world = data;
    if (record->code == SH_LOG_EXCESS)
        fail(world, "%s got more than it had asked for", record->stage);
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
        .kind = SH_PROCESS, .ops = &driver_ops, .arg = &world, .name = "driver"};
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

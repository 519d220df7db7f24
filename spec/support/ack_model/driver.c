/* SPDX-License-Identifier: MIT
 *
 * The driver: supervises, kills, and lets what waits go on. */
#include <stdlib.h>

#include "ack_model.h"

enum {
    STUCK_MS = 20000,
    FIRST_WATCH = 100, /* refs: the end of a life; below: timers */
};

static int place(const struct world *world, int i)
{
    return world->workers ? 1 + i % (int)world->workers : 0;
}

static void start_source(struct world *world, int index)
{
    struct source *source = malloc(sizeof *source);
    *source = (struct source){world, index};
    sh_stage_opts opts = {.kind = SH_PRODUCER,
                          .ops = &ack_source_ops,
                          .arg = source,
                          .await_consumers = true,
                          .buffer_size = SH_BUFFER_INFINITY,
                          .worker = place(world, index)};
    CHECK_INT(sh_stage_start(sh_stage_worker(world->driver), &opts, (sh_from){0},
                             &world->producers[index], NULL),
              SH_OK);
}

/* A stage below others that crash stays; any other ends with its producers. */
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

/* Draws subscriptions to all living stages above: the last life of each BETWEEN, or the
 * producers. */
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
                          .ops = &ack_life_ops,
                          .arg = life,
                          .supervised = true,
                          .await_consumers = role == BETWEEN,
                          .end_with_last = true,
                          .worker = place(world, life->index),
                          .subscribe_to = subs,
                          .n_subscribe_to = n};
    if (sh_stage_start(worker, &opts, (sh_from){0}, &life->stage, NULL) < 0) {
        ack_model_fail(world, "a stage does not start");
        return;
    }
    TRACE(world, "  %d starts: a %s\n", life->index,
          role == BETWEEN ? "between" : "consumer");
    world->n_lives++;
    atomic_fetch_add(&world->alive[role], 1);
    sh_stage_join(worker, life->stage,
                  (sh_from){world->driver, (uint64_t)(FIRST_WATCH + life->index)});
}

/* After a stage above has come back, subscribes all stages below to it. */
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
            ack_life_go_on(&world->lives[i], world->lives[i].stage);
}

/* Ends the stages that have no producers any more because these were killed at the end. */
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
        ack_model_fail(world, "it does not come to an end");
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

const sh_stage_ops ack_driver_ops = {.size = sizeof(struct world *),
                                     .init = driver_init,
                                     .handle_info = on_tick,
                                     .handle_reply = driver_reply};

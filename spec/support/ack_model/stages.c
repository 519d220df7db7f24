/* SPDX-License-Identifier: MIT
 *
 * What the stages do: producers, and those below them, which may be killed, fail, or wait. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ack_model.h"

void ack_model_fail(struct world *world, const char *fmt, ...)
{
    if (atomic_exchange(&world->has_failed, true))
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(world->failure, sizeof world->failure, fmt, args);
    va_end(args);
}

/* -- producers --------------------------------------------------------------------------- */

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

/* handle_events has finished. */
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
            ack_model_fail(world, "event %d is handled twice", (int)(event & 0xffff));
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
            ack_model_fail(world, "event %d is delivered for the %uth time, it says %u",
                           (int)(event & 0xffff), n, told);
        if (world->handled[life->role][event >> 32][event & 0xffff])
            ack_model_fail(world, "event %d is delivered after it was handled",
                           (int)(event & 0xffff));
    }
    if (test_random_below(&life->random, 100) >= world->waits)
        return handle_batch(life, r);
    life->is_waiting = true;
    if (world->workers)
        sh_timer_wake(self, 0, ++life->wakes, NULL);
    return SH_WAIT;
}

void ack_life_go_on(struct life *life, sh_stage *stage)
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
        ack_life_go_on(life, self);
}

#define LIFE                                                                               \
    .size = sizeof(struct life *), .init = life_init, .destroy = life_destroy,             \
    .handle_events = on_events, .handle_reply = on_reply

const sh_stage_ops ack_source_ops = {
    .size = sizeof(struct source), .init = source_init, .handle_demand = on_demand};
const sh_stage_ops ack_life_ops = {LIFE};

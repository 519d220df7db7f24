/* SPDX-License-Identifier: MIT
 *
 * A dispatcher that is one of the engine's, with an eye on what goes in and out. */
#include <string.h>

#include "model.h"

struct tap {
    const sh_dispatcher_ops *base;
    struct actor *actor;
    void *state; /* of base */
};

/* Stands in for the engine while base is in one of its callbacks. */
struct eye {
    sh_dispatch dispatch;
    sh_dispatch *real;
    struct tap *tap;
    sh_batch batch; /* dispatch: what is given to base ... */
    uint32_t next;  /* ... and how much of it has been sent in order */
};

static struct side *producers_side(sh_subscription *sub)
{
    return side_of(sub, SH_ROLE_PRODUCER);
}

/* -- what goes out --------------------------------------------------------------------- */

/* Whether each event goes to one consumer, in the order of the whole batch. */
static bool is_in_order(const struct plan_stage *plan)
{
    return plan->spread == SPREAD_DEMAND || plan->spread == SPREAD_FAIR;
}

static bool is_partitioned(const struct tap *tap)
{
    return tap->actor->plan->spread == SPREAD_PARTITION;
}

static void check_credit(struct tap *tap, const struct side *side)
{
    if ((int64_t)side->events.n > side->asked)
        model_fail(tap->actor->run, "s%d: sends s%d %d events, it asked for %d",
                   tap->actor->index, side->peer, (int)side->events.n, (int)side->asked);
    if (!side->is_dispatching)
        model_fail(tap->actor->run, "s%d: sends events to s%d, which has left",
                   tap->actor->index, side->peer);
}

static void check_partition(struct tap *tap, const struct side *side, int64_t event)
{
    struct actor *actor = tap->actor;
    int partition = choice_partition(actor->plan, event);
    if (partition != (int)side->partition) {
        model_fail(actor->run, "s%d: sends event %d to partition %u", actor->index,
                   (int)MODEL_EVENT_N(event), side->partition);
        return;
    }
    if (event <= actor->partition_last[partition])
        model_fail(actor->run, "s%d: sends event %d of partition %d late", actor->index,
                   (int)MODEL_EVENT_N(event), partition);
    actor->partition_last[partition] = event;
    actor->partition_sent[partition]++;
}

static void eye_send(sh_dispatch *dispatch, sh_subscription *sub, sh_batch batch)
{
    struct eye *eye = (struct eye *)dispatch;
    struct actor *actor = eye->tap->actor;
    struct side *side = producers_side(sub);
    const sh_value *values = sh_batch_values(batch);
    if (batch.n == 0)
        model_fail(actor->run, "s%d: sends no events", actor->index);
    for (uint32_t i = 0; i < batch.n; i++) {
        int64_t event = values[i].u.integer;
        numbers_add(&side->events, event);
        if (is_partitioned(eye->tap))
            check_partition(eye->tap, side, event);
        else if (is_in_order(actor->plan) &&
                 event != sh_batch_values(eye->batch)[eye->next++].u.integer)
            model_fail(actor->run, "s%d: sends event %d in the wrong place", actor->index,
                       (int)MODEL_EVENT_N(event));
    }
    actor->sent += batch.n;
    check_credit(eye->tap, side);
    eye->real->send(eye->real, sub, batch);
}

static void eye_notify(sh_dispatch *dispatch, sh_subscription *sub, sh_marker *marker)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->real->notify(eye->real, sub, marker);
}

static void eye_release(sh_dispatch *dispatch, sh_marker *marker)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->real->release(eye->real, marker);
}

static void eye_fail(sh_dispatch *dispatch, sh_subscription *sub, sh_error *error)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->real->fail(eye->real, sub, error);
}

static void eye_skip(sh_dispatch *dispatch, uint32_t n, sh_error *error)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->tap->actor->skipped += n;
    eye->tap->actor->bad += error ? n : 0;
    eye->real->skip(eye->real, n, error);
}

static void eye_discard(sh_dispatch *dispatch, uint64_t n, int64_t size)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->tap->actor->taken -= (int64_t)n;
    eye->real->discard(eye->real, n, size);
}

static void eye_drop(sh_dispatch *dispatch, uint64_t n)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->tap->actor->taken -= (int64_t)n;
    eye->real->drop(eye->real, n);
}

static void eye_warn(sh_dispatch *dispatch, sh_subscription *sub, int64_t n, int64_t max)
{
    struct eye *eye = (struct eye *)dispatch;
    eye->real->warn(eye->real, sub, n, max);
}

static struct eye eye_on(struct tap *tap, sh_dispatch *real)
{
    return (struct eye){
        .dispatch = {.worker = real->worker,
                     .owed = real->owed,
                     .expects_another = real->expects_another,
                     .send = eye_send,
                     .notify = eye_notify,
                     .release = eye_release,
                     .fail = eye_fail,
                     .skip = eye_skip,
                     .discard = eye_discard,
                     .drop = eye_drop,
                     .warn = eye_warn},
        .real = real,
        .tap = tap,
    };
}

/* -- what goes in ---------------------------------------------------------------------- */

static int tap_init(struct tap *tap, const sh_dispatcher_ops *base, const void *opts,
                    const void *base_opts, uint64_t seed, sh_error **error)
{
    tap->base = base;
    tap->actor = ((const struct tap_opts *)opts)->actor;
    tap->state = sh_malloc(base->size);
    memset(tap->state, 0, base->size);
    return base->init(tap->state, base_opts, seed, error);
}

static int init_demand(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    const struct plan_stage *plan = ((const struct tap_opts *)opts)->actor->plan;
    sh_demand_opts demand = {.max_demand = plan->max_demand,
                             .shuffle_demands_on_first_dispatch = plan->shuffles};
    return tap_init(state, &sh_dispatcher_demand, opts, &demand, seed, error);
}

static int init_broadcast(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    return tap_init(state, &sh_dispatcher_broadcast, opts, NULL, seed, error);
}

static int init_replay(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    const struct plan_stage *plan = ((const struct tap_opts *)opts)->actor->plan;
    sh_replay_opts replay = {.n = plan->replay};
    return tap_init(state, &sh_dispatcher_replay, opts, &replay, seed, error);
}

static int init_fair(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    return tap_init(state, &sh_dispatcher_fair, opts, NULL, seed, error);
}

static int init_partition(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    static const char *const names[] = {"0", "1", "2"};
    const struct plan_stage *plan = ((const struct tap_opts *)opts)->actor->plan;
    sh_partition_opts partitions = {.names = names,
                                    .n = plan->n_partitions,
                                    .splitter = choice_splitter(plan),
                                    .groups = plan->groups,
                                    .limit = plan->limit,
                                    .discards_abandoned = plan->discards_abandoned};
    return tap_init(state, &sh_dispatcher_partition, opts, &partitions, seed, error);
}

static void tap_fini(void *state)
{
    struct tap *tap = state;
    tap->base->fini(tap->state);
    sh_free(tap->state);
}

static int tap_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                         sh_error **error)
{
    struct tap *tap = state;
    struct side *side = producers_side(sub);
    int status = tap->base->subscribe(tap->state, sub, opts, error);
    side->is_dispatching = status == SH_OK;
    if (side->is_dispatching && is_partitioned(tap))
        tap->actor->is_abandoned[side->partition] = false;
    return status;
}

/* Counts events waiting for partitions without consumers as dropped. */
static void drop_abandoned(struct actor *actor)
{
    for (int p = 0; p < PLAN_MAX_PARTITIONS; p++)
        if (actor->is_abandoned[p])
            actor->partition_taken[p] = actor->partition_sent[p];
}

static void abandon(struct actor *actor, uint32_t partition)
{
    for (const struct side *side = actor->consumers; side; side = side->next)
        if (side->is_dispatching && side->partition == partition)
            return;
    actor->is_abandoned[partition] = true;
    drop_abandoned(actor);
}

static void tap_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct tap *tap = state;
    struct eye eye = eye_on(tap, out);
    struct side *side = producers_side(sub);
    side->is_dispatching = false;
    tap->base->cancel(tap->state, sub, &eye.dispatch);
    if (is_partitioned(tap) && tap->actor->plan->discards_abandoned)
        abandon(tap->actor, side->partition);
}

static void tap_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct tap *tap = state;
    struct eye eye = eye_on(tap, out);
    producers_side(sub)->asked += n;
    tap->base->ask(tap->state, sub, n, &eye.dispatch);
}

static int64_t tap_credit(const void *state)
{
    const struct tap *tap = state;
    return tap->base->credit(tap->state);
}

/* A broadcast: every present subscriber has got all events that it selects, and nothing
 * else. */
static void check_broadcast(struct tap *tap, const sh_value *values, int64_t taken)
{
    for (struct side *side = tap->actor->consumers; side; side = side->next) {
        const struct numbers *sent = &side->events;
        size_t at = side->before;
        bool is_right = true;
        if (!side->is_dispatching)
            continue;
        for (int64_t i = 0; is_right && i < taken; i++)
            if (side_selects(side, values[i].u.integer))
                is_right = at < sent->n && sent->items[at++] == values[i].u.integer;
        if (!is_right || at != sent->n)
            model_fail(tap->actor->run, "s%d: broadcast %d events, and s%d got others",
                       tap->actor->index, (int)taken, side->peer);
    }
}

static void count_taken(struct tap *tap, const sh_value *values, int64_t taken)
{
    struct actor *actor = tap->actor;
    actor->taken += taken;
    for (int64_t i = 0; i < taken; i++) {
        int64_t event = values[i].u.integer;
        if (MODEL_EVENT_N(event) <= actor->last_taken)
            model_fail(actor->run, "s%d: event %d is dispatched after %d", actor->index,
                       (int)MODEL_EVENT_N(event), (int)actor->last_taken);
        actor->last_taken = MODEL_EVENT_N(event);
        int partition = choice_partition(actor->plan, event);
        if (is_partitioned(tap) && partition >= 0)
            actor->partition_taken[partition]++;
    }
    drop_abandoned(actor);
}

static int64_t tap_dispatch(void *state, sh_batch batch, sh_dispatch *out, sh_error **error)
{
    struct tap *tap = state;
    struct eye eye = eye_on(tap, out);
    const sh_value *values = sh_batch_values(batch);
    eye.batch = batch;
    for (struct side *side = tap->actor->consumers; side; side = side->next)
        side->before = side->events.n;
    int64_t taken = tap->base->dispatch(tap->state, batch, &eye.dispatch, error);
    count_taken(tap, values, taken);
    if (tap->actor->plan->spread == SPREAD_BROADCAST)
        check_broadcast(tap, values, taken);
    if (is_in_order(tap->actor->plan) && eye.next != taken)
        model_fail(tap->actor->run, "s%d: dispatched %d events, and sent %u",
                   tap->actor->index, (int)taken, eye.next);
    return taken;
}

static int tap_mark(void *state, sh_marker *marker, sh_dispatch *out)
{
    struct tap *tap = state;
    struct eye eye = eye_on(tap, out);
    return tap->base->queues->mark(tap->state, marker, &eye.dispatch);
}

static int64_t tap_held(const void *state, sh_held which)
{
    const struct tap *tap = state;
    return tap->base->queues->held(tap->state, which);
}

static int64_t tap_clear(void *state, sh_dispatch *out)
{
    struct tap *tap = state;
    struct actor *actor = tap->actor;
    struct eye eye = eye_on(tap, out);
    int64_t n = tap->base->queues->clear(tap->state, &eye.dispatch);
    actor->taken -= n;
    memcpy(actor->partition_taken, actor->partition_sent, sizeof actor->partition_taken);
    return n;
}

#define TAP_OPS(word)                                                                      \
    .name = #word, .size = sizeof(struct tap), .init = init_##word, .fini = tap_fini,      \
    .subscribe = tap_subscribe, .cancel = tap_cancel, .ask = tap_ask,                      \
    .credit = tap_credit, .dispatch = tap_dispatch, .reads = SH_READS_ALL

static const sh_dispatcher_queue_ops partition_queues = {
    .held = tap_held, .mark = tap_mark, .clear = tap_clear, .takes_owed = true};
static const sh_dispatcher_queue_ops replay_queues = {.held = tap_held, .mark = tap_mark};

static const sh_dispatcher_ops dispatchers[] = {
    [SPREAD_DEMAND] = {TAP_OPS(demand)},
    [SPREAD_BROADCAST] = {TAP_OPS(broadcast)},
    [SPREAD_PARTITION] = {TAP_OPS(partition), .queues = &partition_queues},
    [SPREAD_FAIR] = {TAP_OPS(fair)},
};
static const sh_dispatcher_ops replay = {TAP_OPS(replay), .queues = &replay_queues};

const sh_dispatcher_ops *tap_dispatcher(const struct plan_stage *plan)
{
    if (plan->spread == SPREAD_BROADCAST && plan->replay > 0)
        return &replay;
    return &dispatchers[plan->spread];
}

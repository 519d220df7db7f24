/* SPDX-License-Identifier: MIT
 *
 * The callbacks of all stages: each writes down what came, then does its job or waits
 * before it. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "produce/producer.h"
#include "stage/stage.h"

/* -- waiting --------------------------------------------------------------------------- */

static struct actor *actor_of(void *state)
{
    return *(struct actor **)state;
}

static const char *const job_words[] = {
    "nothing",    "demand", "events", "subscribe in", "subscribe out", "cancel in",
    "cancel out", "cast",   "info",   "notification", "terminate"};

/* Does a job now, or leaves it for model_complete. */
static int start_job(struct actor *actor, struct job job, sh_result *r)
{
    struct run *run = actor->run;
    bool waits = test_random_below(&actor->random, 100) < actor->plan->waits &&
                 !atomic_load_explicit(&run->is_closing, memory_order_relaxed);
    model_trace(run, "    s%d: %s%s\n", actor->index, job_words[job.kind],
                waits ? " (waits)" : "");
    if (actor->job.kind != JOB_NONE)
        model_fail(run, "s%d: a callback runs while another one waits", actor->index);
    if (!waits) {
        int status = model_do(actor, &job, r);
        free(job.events.items);
        return status;
    }
    actor->job = job;
    actor->wakes++;
    actor->has_timer = run->workers > 0 || test_random_below(&actor->random, 2) == 0 ||
                       job.kind == JOB_TERMINATE;
    if (actor->has_timer)
        sh_timer_wake(actor->stage, 0, actor->wakes, NULL);
    return SH_WAIT;
}

void model_complete(struct actor *actor)
{
    struct job job = actor->job;
    if (job.kind == JOB_NONE)
        return;
    actor->job = (struct job){0};
    actor->has_timer = false;
    model_trace(actor->run, "    s%d: %s goes on\n", actor->index, job_words[job.kind]);
    sh_result r = {0};
    int status = model_do(actor, &job, &r);
    free(job.events.items);
    sh_stage_complete(actor->stage, status, &r);
}

static void on_reply(sh_stage *self, void *state, uint64_t ref, int status, sh_batch value,
                     sh_error *error)
{
    struct actor *actor = actor_of(state);
    (void)self;
    (void)status;
    (void)error;
    sh_batch_unref(value);
    if (ref == actor->wakes && actor->has_timer)
        model_complete(actor);
}

/* -- life ------------------------------------------------------------------------------ */

static int on_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct actor *actor = arg;
    (void)self;
    (void)r;
    *(struct actor **)state = actor;
    actor->has_begun = true;
    return SH_DONE;
}

static int on_terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    struct actor *actor = actor_of(state);
    (void)self;
    actor->reason = model_reason_name(reason);
    model_trace(actor->run, "    s%d: ends, %s\n", actor->index, actor->reason);
    return start_job(actor, (struct job){.kind = JOB_TERMINATE}, r);
}

static void on_destroy(sh_stage *self, void *state, void *arg)
{
    struct actor *actor = state && *(void **)state ? actor_of(state) : arg;
    (void)self;
    if (!actor->reason || actor->job.kind == JOB_TERMINATE)
        actor->reason = "killed";
    actor->has_ended = true;
    actor->has_timer = false;
    free(actor->job.events.items);
    actor->job = (struct job){0};
}

/* -- producing ------------------------------------------------------------------------- */

static int on_demand(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    struct actor *actor = actor_of(state);
    (void)self;
    model_trace(actor->run, "    s%d: demand of %d\n", actor->index, (int)n);
    if (n <= 0)
        model_fail(actor->run, "s%d: demand of %d", actor->index, (int)n);
    actor->owed += n;
    return start_job(actor, (struct job){.kind = JOB_DEMAND}, r);
}

static bool on_discarded(sh_stage *self, void *state, uint64_t count)
{
    (void)self;
    actor_of(state)->discarded += (int64_t)count;
    return false;
}

/* -- consuming ------------------------------------------------------------------------- */

static void check_batch(struct actor *actor, const struct side *side, sh_batch events)
{
    bool is_open = side->sub->in.open;
    if (events.n == 0)
        model_fail(actor->run, "s%d: got an empty batch", actor->index);
    if (side->is_cancelled)
        model_fail(actor->run, "s%d: got events of s%d after handle_cancel", actor->index,
                   side->peer);
    if (!side->is_manual && is_open && events.n > side->max - side->min)
        model_fail(actor->run, "s%d: got a batch of %u with max %d and min %d",
                   actor->index, events.n, (int)side->max, (int)side->min);
    if ((int64_t)side->events.n > side->asked)
        model_fail(actor->run, "s%d: got %d events from s%d, asked for %d", actor->index,
                   (int)side->events.n, side->peer, (int)side->asked);
}

static int on_events(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                     sh_result *r)
{
    struct actor *actor = actor_of(state);
    struct side *side = side_of(from, SH_ROLE_CONSUMER);
    struct job job = {.kind = JOB_EVENTS, .side = side};
    const sh_value *values = sh_batch_values(events);
    (void)self;
    for (uint32_t i = 0; i < events.n; i++) {
        side_receive(side, values[i].u.integer);
        numbers_add(&job.events, values[i].u.integer);
    }
    check_batch(actor, side, events);
    return start_job(actor, job, r);
}

static int on_notification(sh_stage *self, void *state, sh_batch message,
                           sh_subscription *from, sh_result *r)
{
    struct actor *actor = actor_of(state);
    struct side *side = side_of(from, SH_ROLE_CONSUMER);
    (void)self;
    if (side->is_cancelled)
        model_fail(actor->run, "s%d: got a notification of s%d after handle_cancel",
                   actor->index, side->peer);
    side_receive_note(side, model_number(message));
    return start_job(actor, (struct job){.kind = JOB_NOTE}, r);
}

/* -- subscriptions --------------------------------------------------------------------- */

static int on_subscribe(sh_stage *self, void *state, sh_role other, sh_subscribe_opts *opts,
                        sh_subscription *from, sh_result *r)
{
    struct actor *actor = actor_of(state);
    bool is_consumer = other == SH_ROLE_PRODUCER;
    struct side *side = side_new(actor, from, is_consumer);
    (void)self;
    if (is_consumer) {
        side->cancel = opts->cancel;
        side->max = opts->max_demand;
        side->min = opts->min_demand;
        side->is_manual = model_number(opts->extra) != 0;
        return start_job(actor, (struct job){.kind = JOB_SUBSCRIBE_IN, .side = side}, r);
    }
    side->partition = (uint32_t)atoi(opts->partition);
    if (actor->plan->spread == SPREAD_BROADCAST && actor->plan->selects &&
        test_random_below(&actor->random, 4) > 0) {
        side->select = 1 + test_random_below(&actor->random, 4);
        side->reject = test_random_below(&actor->random, side->select);
        opts->selector = choice_selector(side);
    }
    return start_job(actor, (struct job){.kind = JOB_SUBSCRIBE_OUT, .side = side}, r);
}

/* Whether the end of a subscription ends its consumer. */
static bool ends_consumer(const struct side *side, const sh_error *reason)
{
    const char *name = sh_error_get(reason)->name;
    if (side->cancel == SH_CANCEL_TEMPORARY ||
        (name && !strcmp(name, "already_subscribed")))
        return false;
    if (side->cancel == SH_CANCEL_TRANSIENT)
        return !sh_error_is_clean(reason);
    bool is_last = sh__link_is_empty(&side->actor->stage->producers);
    return !side->actor->plan->ends_with_last || !sh_error_is_clean(reason) || is_last;
}

static int on_cancel(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                     sh_subscription *from, sh_result *r)
{
    struct actor *actor = actor_of(state);
    struct side *in = side_of(from, SH_ROLE_CONSUMER);
    bool is_consumer = sh_subscription_consumer(from) == self;
    struct side *side = is_consumer ? in : side_of(from, SH_ROLE_PRODUCER);
    if (!side || side->is_cancelled) {
        model_fail(actor->run, "s%d: handle_cancel %s", actor->index,
                   side ? "came twice" : "came before handle_subscribe");
        return SH_DONE;
    }
    side->is_cancelled = true;
    side->how = how;
    side->reason = model_reason_name(reason);
    model_trace(actor->run, "    s%d: cancel from s%d, %s, %s\n", actor->index, side->peer,
                how == SH_ENDED_DOWN ? "down" : "cancel", side->reason);
    if (is_consumer && ends_consumer(side, reason))
        actor->is_licensed = true;
    enum job_kind kind = is_consumer ? JOB_CANCEL_IN : JOB_CANCEL_OUT;
    return start_job(actor, (struct job){.kind = kind, .side = side}, r);
}

/* -- messages -------------------------------------------------------------------------- */

static int on_cast(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    struct actor *actor = actor_of(state);
    int64_t index = model_number(message);
    (void)self;
    struct job job = {.kind = JOB_CAST,
                      .step = index < 0 ? NULL : &actor->run->plan->steps[index]};
    return start_job(actor, job, r);
}

/* What stands first in a buffer: the place of its event, or 0. */
static int64_t first_buffered(const struct sh__producer *out)
{
    const struct sh__entry *entry = &out->buffer.ring[out->buffer.head];
    return out->buffer.count ? MODEL_EVENT_N(sh_batch_values(entry->batch)->u.integer) : 0;
}

/* An info of its own, sent when `after` events had been emitted: they are all out. */
static int on_info(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    struct actor *actor = actor_of(state);
    int64_t after = model_number(message);
    int64_t first = self->out ? first_buffered(self->out) : 0;
    if (first > 0 && first <= after)
        model_fail(actor->run, "s%d: event %d is still buffered at an info behind %d",
                   actor->index, (int)first, (int)after);
    return start_job(actor, (struct job){.kind = JOB_INFO}, r);
}

#define COMMON                                                                             \
    .size = sizeof(struct actor *), .init = on_init, .handle_subscribe = on_subscribe,     \
    .handle_cancel = on_cancel, .handle_cast = on_cast, .handle_info = on_info,            \
    .terminate = on_terminate, .handle_reply = on_reply, .destroy = on_destroy
#define PRODUCES .format_discarded = on_discarded
#define CONSUMES .handle_events = on_events

static const sh_stage_ops producer = {COMMON, PRODUCES, .handle_demand = on_demand};
static const sh_stage_ops consumer = {COMMON, CONSUMES,
                                      .handle_notification = on_notification};
static const sh_stage_ops between[2][2] = {
    {{COMMON, PRODUCES, CONSUMES},
     {COMMON, PRODUCES, CONSUMES, .handle_notification = on_notification}},
    {{COMMON, PRODUCES, CONSUMES, .handle_demand = on_demand},
     {COMMON, PRODUCES, CONSUMES, .handle_demand = on_demand,
      .handle_notification = on_notification}},
};

const sh_stage_ops *model_ops(const struct plan_stage *stage)
{
    if (stage->kind == SH_PRODUCER)
        return &producer;
    if (stage->kind == SH_CONSUMER)
        return &consumer;
    return &between[stage->answers_demand][stage->hears];
}

/* SPDX-License-Identifier: MIT
 *
 * What the callbacks of a stage do, at once or after a wait. */
#include <stdlib.h>

#include "model.h"
#include "stage/stage.h"

/* -- emitting -------------------------------------------------------------------------- */

/* One more event for r->events. `values` has room. */
static void add_event(struct actor *actor, sh_value *values, size_t *n, int64_t origin)
{
    if (actor->emitted >= MODEL_MAX_EMITTED)
        return;
    numbers_add(&actor->origins, origin);
    values[(*n)++] = (sh_value){.type = SH_INTEGER,
                                .u.integer = MODEL_EVENT(actor->index, ++actor->emitted)};
}

static void emit_values(struct actor *actor, sh_value *values, size_t n, sh_result *r)
{
    actor->owed -= actor->owed < (int64_t)n ? actor->owed : (int64_t)n;
    if (n > 0 && sh_batch_from_values(values, n, &r->events) < 0)
        abort();
    model_trace(actor->run, "    s%d: emits %d, to %d\n", actor->index, (int)n,
                (int)actor->emitted);
    free(values);
}

static void emit(struct actor *actor, int64_t wanted, sh_result *r)
{
    if (wanted <= 0 || actor->plan->kind == SH_CONSUMER)
        return;
    sh_value *values = calloc((size_t)wanted, sizeof *values);
    size_t n = 0;
    while (wanted-- > 0)
        add_event(actor, values, &n, 0);
    emit_values(actor, values, n, r);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void answer_demand(struct actor *actor, sh_result *r)
{
    int64_t n = least(actor->owed, actor->budget);
    switch (actor->plan->answers) {
    case ANSWERS_EXACTLY:
        break;
    case ANSWERS_LESS:
        n /= 2;
        break;
    case ANSWERS_MORE:
        n = least(actor->owed + 3, actor->budget);
        break;
    case ANSWERS_LATER:
        n = 0;
    }
    actor->budget -= n;
    emit(actor, n, r);
}

/* -- working --------------------------------------------------------------------------- */

static void emit_made(struct actor *actor, const struct numbers *events, sh_result *r)
{
    sh_value *values = calloc(2 * events->n + 1, sizeof *values);
    size_t n = 0;
    for (size_t i = 0; i < events->n; i++) {
        int64_t event = events->items[i];
        if (actor->plan->work == WORK_FILTER && MODEL_EVENT_N(event) % 2 == 0)
            continue;
        add_event(actor, values, &n, event);
        if (actor->plan->work == WORK_GROW)
            add_event(actor, values, &n, event);
    }
    emit_values(actor, values, n, r);
}

/* Asks after a batch as GenStage does: for all events that are missing once min is
 * reached. */
static void account(struct side *side, int64_t n)
{
    if (side->is_manual || !side->sub->in.open)
        return;
    side->outstanding -= n;
    if (side->outstanding > side->min)
        return;
    side->asked += side->max - side->outstanding;
    side->outstanding = side->max;
}

static void do_events(struct actor *actor, struct job *job, sh_result *r)
{
    actor->handled += (int64_t)job->events.n;
    account(job->side, (int64_t)job->events.n);
    if (actor->plan->kind == SH_CONSUMER)
        return;
    if (actor->plan->work != WORK_KEEP) {
        emit_made(actor, &job->events, r);
        return;
    }
    for (size_t i = 0; i < job->events.n; i++)
        numbers_add(&actor->kept, job->events.items[i]);
}

static void feed(struct actor *actor, int64_t n, sh_result *r)
{
    if (actor->kept.n > 0) {
        emit(actor, (int64_t)actor->kept.n, r);
        actor->kept.n = 0;
        return;
    }
    actor->budget += n;
    n = least(actor->owed, actor->budget);
    actor->budget -= n;
    emit(actor, n, r);
}

/* -- notifications --------------------------------------------------------------------- */

/* Sends a notification behind the callback's events. If the callback has waited and is continued
 * from outside, the notification is a message like one from the driver. */
static void notify(struct actor *actor)
{
    sh_worker *worker = sh_stage_worker(actor->stage);
    bool is_inside = worker->current == actor->stage;
    int64_t number = is_inside ? ++actor->notes : ++actor->run->n_told;
    int64_t note = MODEL_NOTE(actor->index, !is_inside, number, actor->emitted);
    for (struct side *side = actor->consumers; side; side = side->next)
        if (side->is_dispatching)
            numbers_add(&side->notes, note);
    model_trace(actor->run, "    s%d: notifies %d\n", actor->index, (int)number);
    sh_stage_notify(worker, actor->stage, model_batch(note), (sh_from){0}, NULL);
}

/* -- subscriptions --------------------------------------------------------------------- */

static void ask(struct side *side, int64_t n)
{
    if (!side || !side->is_manual || n <= 0)
        return;
    side->asked += n;
    sh_subscription_ask(sh_stage_worker(side->actor->stage), side->sub, n);
}

static void subscribe_in(struct side *side, sh_result *r)
{
    r->mode = side->is_manual ? SH_MANUAL : SH_AUTOMATIC;
    if (!side->is_manual)
        side->asked = side->outstanding = side->max;
    else if (atomic_load_explicit(&side->actor->run->is_closing, memory_order_relaxed))
        ask(side, MODEL_OPEN_ASK);
}

static void cancel(struct side *side, uint32_t k)
{
    if (side)
        sh_subscription_cancel(sh_stage_worker(side->actor->stage), side->sub,
                               model_reason(k));
}

static void resubscribe(struct actor *actor, const struct step *step)
{
    struct side *side = side_pick(actor->producers, step->k);
    if (!side)
        return;
    sh_subscribe_opts opts = model_subscribe_opts(actor->run, step);
    opts.to = sh_subscription_producer(side->sub);
    opts.current = side->sub;
    opts.current_reason = sh_error_fmt(SH_REASON_CUSTOM, 0, "again", "subscribes again");
    sh_error *error = NULL;
    sh_stage_subscribe(sh_stage_worker(actor->stage), actor->stage, &opts, (sh_from){0},
                       &error);
    sh_error_unref(error);
}

/* -- casts ----------------------------------------------------------------------------- */

/* Lets everything that was held back go on, so that the run can end gracefully. */
static void open_up(struct actor *actor, sh_result *r)
{
    for (struct side *side = actor->producers; side; side = side->next)
        if (!side->is_cancelled)
            ask(side, MODEL_OPEN_ASK);
    if (actor->plan->kind != SH_CONSUMER)
        emit(actor, (int64_t)actor->kept.n, r);
    actor->kept.n = 0;
}

static int do_step(struct actor *actor, const struct step *step, sh_result *r)
{
    bool produces = actor->plan->kind != SH_CONSUMER;
    switch (step->kind) {
    case STEP_FEED:
        feed(actor, step->n, r);
        break;
    case STEP_EMIT:
        emit(actor, step->n, r);
        break;
    case STEP_NOTIFY:
        emit(actor, step->n / 2, r);
        if (produces)
            notify(actor);
        break;
    case STEP_INFO:
        sh_stage_info(sh_stage_worker(actor->stage), actor->stage,
                      model_batch(actor->emitted), (sh_from){0}, NULL);
        break;
    case STEP_ASK:
        ask(side_pick(actor->producers, step->k), step->n);
        break;
    case STEP_CANCEL:
        cancel(side_pick(actor->producers, step->k), (uint32_t)step->n);
        break;
    case STEP_DISMISS:
        cancel(side_pick(actor->consumers, step->k), (uint32_t)step->n);
        break;
    case STEP_RESUBSCRIBE:
        resubscribe(actor, step);
        break;
    case STEP_FAIL:
        r->reason = model_reason(2);
        actor->is_licensed = true;
        return SH_EFAILED;
    case STEP_QUIT:
        emit(actor, step->n, r);
        r->stop = true;
        r->reason = model_reason(step->k);
        actor->is_licensed = true;
        break;
    default:
        break;
    }
    return SH_DONE;
}

int model_do(struct actor *actor, struct job *job, sh_result *r)
{
    switch (job->kind) {
    case JOB_DEMAND:
        answer_demand(actor, r);
        break;
    case JOB_EVENTS:
        do_events(actor, job, r);
        break;
    case JOB_SUBSCRIBE_IN:
        subscribe_in(job->side, r);
        break;
    case JOB_NOTE:
        if (actor->plan->kind != SH_CONSUMER)
            notify(actor);
        break;
    case JOB_CAST:
        if (job->step)
            return do_step(actor, job->step, r);
        open_up(actor, r);
        break;
    default:
        break;
    }
    return SH_DONE;
}

/* SPDX-License-Identifier: MIT
 *
 * The steps of a plan, as the driver does them: what a stage has to do itself is cast to
 * it. */
#include <stdio.h>

#include "model.h"

sh_subscribe_opts model_subscribe_opts(struct run *run, const struct step *step)
{
    static const char *const partitions[] = {"0", "1", "2"};
    bool is_manual = step->kind == STEP_START ? step->k == 5 : step->flag;
    return (sh_subscribe_opts){
        .to = run->actors[step->other].stage,
        .max_demand = step->n,
        .min_demand = step->m,
        .has_min = true,
        .cancel = step->cancel,
        .partition = partitions[step->k % 3],
        .extra = model_batch(is_manual),
    };
}

static void start(struct run *run, const struct step *step)
{
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    struct actor *actor = &run->actors[step->stage];
    const struct plan_stage *plan = actor->plan;
    if (actor->stage)
        return;
    struct tap_opts tap = {actor};
    sh_stage_opts opts = {.kind = plan->kind,
                          .ops = model_ops(plan),
                          .arg = actor,
                          .name = names[step->stage],
                          .end_with_last = plan->ends_with_last};
    if (run->workers)
        opts.worker = 1 + (int)((unsigned)step->stage % run->workers);
    if (plan->kind != SH_CONSUMER) {
        opts.dispatcher = tap_dispatcher(plan->spread);
        opts.dispatcher_opts = &tap;
        opts.buffer_size = plan->buffer_size;
        opts.buffer_keep = plan->keep;
        opts.discard_buffer_when_no_consumers = plan->discards_without_consumers;
        opts.demand = plan->accumulates ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD;
    }
    sh_subscribe_opts first = {0};
    if (step->flag && plan->kind != SH_PRODUCER && run->actors[step->other].stage) {
        first = model_subscribe_opts(run, step);
        opts.subscribe_to = &first;
        opts.n_subscribe_to = 1;
    }
    sh_error *error = NULL;
    int status = sh_stage_start(sh_stage_worker(run->driver), &opts, (sh_from){0},
                                &actor->stage, &error);
    if (status < 0)
        model_fail(run, "s%d: start: %s", step->stage, sh_error_get(error)->message);
    sh_error_unref(error);
}

static void subscribe(struct run *run, const struct step *step, bool is_known)
{
    if (is_known && !run->actors[step->other].stage)
        return;
    sh_subscribe_opts opts = model_subscribe_opts(run, step);
    if (!is_known) {
        opts.to = NULL;
        opts.to_name = "nobody";
        if (step->cancel != SH_CANCEL_TEMPORARY &&
            run->plan->stages[step->stage].kind != SH_PRODUCER)
            run->was_told_to_end[step->stage] = true;
    }
    sh_stage_subscribe(sh_stage_worker(run->driver), run->actors[step->stage].stage, &opts,
                       (sh_from){0}, NULL);
}

/* Told from outside: those get it who are subscribed now, and still are when it is
 * taken. */
static void tell(struct run *run, struct actor *actor)
{
    int64_t note = MODEL_NOTE(actor->index, 1, ++run->n_told, 0);
    if (actor->plan->kind == SH_CONSUMER)
        return;
    for (struct side *side = run->workers ? NULL : actor->consumers; side;
         side = side->next)
        if (side->is_dispatching)
            numbers_add(&side->notes, note);
    sh_stage_notify(sh_stage_worker(run->driver), actor->stage, model_batch(note),
                    (sh_from){0}, NULL);
}

void model_step(struct run *run, const struct step *step)
{
    sh_worker *worker = sh_stage_worker(run->driver);
    struct actor *actor = &run->actors[step->stage];
    if (run->traces) {
        printf("  %2d ", (int)(step - run->plan->steps));
        plan_print_step(step, stdout);
    }
    if (step->kind == STEP_START) {
        start(run, step);
        return;
    }
    if (!actor->stage)
        return;
    switch (step->kind) {
    case STEP_SUBSCRIBE:
        subscribe(run, step, true);
        break;
    case STEP_UNKNOWN:
        subscribe(run, step, false);
        break;
    case STEP_TELL:
        tell(run, actor);
        break;
    case STEP_MODE:
        sh_stage_set_demand(worker, actor->stage,
                            step->flag ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD,
                            (sh_from){0});
        break;
    case STEP_STOP:
        run->was_told_to_end[step->stage] = true;
        sh_stage_stop(worker, actor->stage, model_reason(step->k), (sh_from){0});
        break;
    case STEP_KILL:
        run->was_told_to_end[step->stage] = true;
        sh_stage_kill(worker, actor->stage);
        break;
    case STEP_COMPLETE:
        if (!run->workers)
            model_complete(actor);
        break;
    default:
        sh_stage_cast(worker, actor->stage, model_batch(step - run->plan->steps), NULL);
    }
}

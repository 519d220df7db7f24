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
        .to = model_actor(run, step->other)->stage,
        .max_demand = step->n,
        .min_demand = step->m,
        .has_min = true,
        .cancel = step->cancel,
        .partition = partitions[step->k % 3],
        .weight = 1 + step->k % 5,
        .priority = (int32_t)(step->k / 5 % 2),
        .extra = model_batch(is_manual),
    };
}

static void start(struct run *run, const struct step *step)
{
    struct actor *actor = model_actor(run, step->stage);
    if (actor->stage)
        return;
    bool has_first = step->flag && actor->plan->kind != SH_PRODUCER &&
                     model_actor(run, step->other)->stage;
    sh_subscribe_opts first = {0};
    if (has_first)
        first = model_subscribe_opts(run, step);
    model_start(run, actor, has_first ? &first : NULL);
}

static void subscribe(struct run *run, const struct step *step, bool is_known)
{
    struct actor *actor = model_actor(run, step->stage);
    if (is_known && !model_actor(run, step->other)->stage)
        return;
    sh_subscribe_opts opts = model_subscribe_opts(run, step);
    if (!is_known) {
        opts.to = NULL;
        opts.to_name = "nobody";
        if (step->cancel != SH_CANCEL_TEMPORARY &&
            run->plan->stages[step->stage].kind != SH_PRODUCER)
            run->was_told_to_end[actor->index] = true;
    }
    sh_stage_subscribe(sh_stage_worker(run->driver), actor->stage, &opts, (sh_from){0},
                       NULL);
}

/* A notification from outside goes to the consumers that are subscribed now, and still are when
 * it is taken. */
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
    struct actor *actor = model_actor(run, step->stage);
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
        run->was_told_to_end[actor->index] = true;
        sh_stage_stop(worker, actor->stage, model_reason(step->k), (sh_from){0});
        break;
    case STEP_KILL:
        run->was_told_to_end[actor->index] = true;
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

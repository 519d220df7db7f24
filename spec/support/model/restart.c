/* SPDX-License-Identifier: MIT
 *
 * The supervisor: the driver, which is told when a stage has ended. A successor is another actor,
 * with books of its own, so that what was lost in one life can't be made good in the next. */
#include <stdio.h>

#include "model.h"
#include "stage/stage.h"

/* -- starting -------------------------------------------------------------------------- */

static void watch(struct run *run, struct actor *actor)
{
    sh_from from = {run->driver, (uint64_t)(MODEL_FIRST_WATCH + actor->index)};
    if (actor->plan->is_supervised)
        sh_stage_join(sh_stage_worker(run->driver), actor->stage, from);
}

void model_start(struct run *run, struct actor *actor, sh_subscribe_opts *first)
{
    const struct plan_stage *plan = actor->plan;
    struct tap_opts tap = {actor};
    char name[16];
    snprintf(name, sizeof name, "s%d", actor->index);
    sh_stage_opts opts = {.kind = plan->kind,
                          .ops = model_ops(plan),
                          .arg = actor,
                          .name = name,
                          .end_with_last = plan->ends_with_last,
                          .subscribe_to = first,
                          .n_subscribe_to = first != NULL};
    if (run->workers)
        opts.worker = 1 + (int)((unsigned)actor->index % run->workers);
    if (plan->kind != SH_CONSUMER) {
        opts.dispatcher = tap_dispatcher(plan);
        opts.dispatcher_opts = &tap;
        opts.buffer_size = plan->buffer_size;
        opts.buffer_keep = plan->keep;
        opts.discard_buffer_when_no_consumers = plan->discards_without_consumers;
        opts.demand = plan->accumulates ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD;
    }
    sh_error *error = NULL;
    int status = sh_stage_start(sh_stage_worker(run->driver), &opts, (sh_from){0},
                                &actor->stage, &error);
    if (status < 0)
        model_fail(run, "s%d: start: %s", actor->index, sh_error_get(error)->message);
    else
        watch(run, actor);
    sh_error_unref(error);
}

/* -- starting again -------------------------------------------------------------------- */

static bool has_crashed(const struct actor *dead)
{
    return dead->has_begun && dead->reason[0] != 'n' && dead->reason[0] != 's';
}

static void subscribe(struct run *run, struct actor *consumer, struct actor *producer,
                      const struct side *as)
{
    static const char *const partitions[] = {"0", "1", "2"};
    int64_t max = as->is_consumer ? as->max : 1 + as->peer;
    sh_subscribe_opts opts = {
        .to = producer->stage,
        .max_demand = max,
        .min_demand = as->is_consumer ? as->min : max / 2,
        .has_min = true,
        .cancel = as->is_consumer ? as->cancel : SH_CANCEL_TEMPORARY,
        .partition = partitions[as->partition % 3],
        .extra = model_batch(as->is_consumer && as->is_manual),
    };
    sh_stage_subscribe(sh_stage_worker(run->driver), consumer->stage, &opts, (sh_from){0},
                       NULL);
}

/* The actor that now replaces another one; NULL if there is none. */
static struct actor *heir(struct run *run, int index)
{
    struct actor *actor =
        model_actor(run, (int)(run->actors[index].plan - run->plan->stages));
    return actor->stage ? actor : NULL;
}

void model_restart(struct run *run, struct actor *dead)
{
    int place = (int)(dead->plan - run->plan->stages);
    if (!has_crashed(dead) || run->phase > 0 || run->n_actors == MODEL_MAX_ACTORS)
        return;
    struct actor *next = &run->actors[run->n_actors];
    *next = (struct actor){.run = run, .index = run->n_actors, .plan = dead->plan};
    next->random = test_random_seed(dead->plan->random + (uint64_t)next->index);
    model_trace(run, "    s%d: is started again as s%d\n", dead->index, next->index);
    model_start(run, next, NULL);
    if (!next->stage)
        return;
    run->n_actors++;
    run->current[place] = next->index;
    for (const struct side *side = dead->producers; side; side = side->next)
        if (!side->is_cancelled && heir(run, side->peer))
            subscribe(run, next, heir(run, side->peer), side);
    for (const struct side *side = dead->consumers; side; side = side->next)
        if (!side->is_cancelled && heir(run, side->peer))
            subscribe(run, heir(run, side->peer), next, side);
}

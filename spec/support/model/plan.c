/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <string.h>

#include "test.h"

static uint32_t below(struct test_random *random, uint32_t bound)
{
    return test_random_below(random, bound);
}

static bool chance(struct test_random *random, uint32_t percent)
{
    return below(random, 100) < percent;
}

/* -- stages ---------------------------------------------------------------------------- */

static sh_kind draw_kind(struct test_random *random, int index, int n)
{
    if (index == 0)
        return SH_PRODUCER;
    if (index == n - 1)
        return chance(random, 90) ? SH_CONSUMER : SH_PRODUCER_CONSUMER;
    uint32_t what = below(random, 10);
    return what < 2 ? SH_PRODUCER : what < 6 ? SH_PRODUCER_CONSUMER : SH_CONSUMER;
}

static int64_t draw_buffer_size(struct test_random *random)
{
    switch (below(random, 6)) {
    case 0:
        return SH_BUFFER_NONE;
    case 1:
        return SH_BUFFER_INFINITY;
    case 2:
    case 3:
        return SH_BUFFER_DEFAULT;
    default:
        return 1 + below(random, 12);
    }
}

/* Later dispatchers are drawn from a source of their own, so that plans of old seeds stay. */
static void draw_variant(struct plan_stage *stage)
{
    struct test_random random = test_random_seed(stage->random);
    if (stage->spread == SPREAD_DEMAND && chance(&random, 40))
        stage->spread = SPREAD_FAIR;
    stage->replay = chance(&random, 40) ? 1 + below(&random, 12) : 0;
    stage->groups = chance(&random, 50);
    stage->limit = chance(&random, 40) ? 1 + below(&random, 12) : 0;
    stage->discards_abandoned = chance(&random, 30);
}

static struct plan_stage draw_stage(struct test_random *random, int index, int n)
{
    struct plan_stage stage = {.kind = draw_kind(random, index, n)};
    stage.spread = (enum spread)(below(random, 4) % 3);
    stage.answers = (enum answers)(below(random, 6) % 4);
    stage.work = (enum work)(below(random, 6) % 4);
    stage.shuffles = chance(random, 30);
    stage.selects = chance(random, 50);
    stage.n_partitions = 1 + below(random, PLAN_MAX_PARTITIONS);
    stage.none = chance(random, 40) ? 2 + below(random, 6) : 0;
    stage.bad = chance(random, 15) ? 3 + below(random, 9) : 0;
    stage.max_demand = chance(random, 20) ? 1 + below(random, 10) : 0;
    stage.buffer_size = draw_buffer_size(random);
    stage.keep = chance(random, 50) ? SH_KEEP_FIRST : SH_KEEP_LAST;
    stage.discards_without_consumers = chance(random, 20);
    stage.accumulates = stage.kind == SH_PRODUCER && chance(random, 15);
    stage.answers_demand = chance(random, 25);
    stage.hears = chance(random, 50);
    stage.ends_with_last = chance(random, 30);
    stage.waits = chance(random, 30) ? 5 + below(random, 40) : 0;
    stage.random = (uint64_t)below(random, UINT32_MAX) << 8 | 1;
    draw_variant(&stage);
    return stage;
}

/* -- steps ----------------------------------------------------------------------------- */

static const struct {
    enum step_kind kind;
    uint32_t weight;
} usual[] = {
    {STEP_SUBSCRIBE, 14}, {STEP_RESUBSCRIBE, 3}, {STEP_CANCEL, 4}, {STEP_DISMISS, 3},
    {STEP_ASK, 16},       {STEP_FEED, 16},       {STEP_EMIT, 12},  {STEP_NOTIFY, 8},
    {STEP_TELL, 5},       {STEP_INFO, 5},        {STEP_MODE, 4},   {STEP_STOP, 2},
    {STEP_KILL, 1},       {STEP_FAIL, 1},        {STEP_QUIT, 1},   {STEP_COMPLETE, 6},
    {STEP_UNKNOWN, 1},    {STEP_SETTLE, 14},
};
enum { N_USUAL = sizeof usual / sizeof *usual };

/* How often each kind of step comes in one plan. Every plan has its own frequencies: if all
 * kinds came everywhere, long stretches without one of them would never be tested. */
struct taste {
    uint32_t weights[N_USUAL], sum;
};

static struct taste draw_taste(struct test_random *random, bool crashes)
{
    static const uint32_t factors[] = {0, 1, 1, 2, 4};
    struct taste taste = {.sum = 0};
    for (size_t i = 0; i < N_USUAL; i++) {
        taste.weights[i] = usual[i].weight * factors[below(random, 5)];
        if (usual[i].kind == STEP_SUBSCRIBE || usual[i].kind == STEP_SETTLE)
            taste.weights[i] += 4;
        if (crashes && (usual[i].kind == STEP_KILL || usual[i].kind == STEP_FAIL))
            taste.weights[i] += 6;
        taste.sum += taste.weights[i];
    }
    return taste;
}

static enum step_kind draw_step_kind(struct test_random *random, const struct taste *taste)
{
    uint32_t at = below(random, taste->sum);
    size_t i = 0;
    while (at >= taste->weights[i])
        at -= taste->weights[i++];
    return usual[i].kind;
}

/* A subscription goes from a stage to one before it that produces, so there are no
 * cycles. */
static void draw_link(const struct plan *plan, struct test_random *random,
                      struct step *step)
{
    bool is_large = chance(random, 15);
    step->n = 1 + below(random, is_large ? 200 : 12);
    step->m = below(random, (uint32_t)step->n);
    step->cancel = (sh_cancel)(below(random, 4) % 3);
    step->k = below(random, 6);
    for (int tries = 0; tries < 20; tries++) {
        step->other = (int)below(random, (uint32_t)plan->n_stages);
        if (step->other < step->stage && plan->stages[step->other].kind != SH_CONSUMER)
            return;
    }
    step->other = 0;
}

static struct step draw_step(const struct plan *plan, struct test_random *random,
                             const struct taste *taste)
{
    struct step step = {.kind = draw_step_kind(random, taste)};
    step.stage = (int)below(random, (uint32_t)plan->n_stages);
    step.flag = chance(random, 40);
    step.k = below(random, 6);
    step.n = below(random, chance(random, 15) ? 100 : 12);
    if (step.kind == STEP_SUBSCRIBE || step.kind == STEP_RESUBSCRIBE ||
        step.kind == STEP_UNKNOWN)
        draw_link(plan, random, &step);
    return step;
}

static void add_step(struct plan *plan, struct step step)
{
    if (plan->n_steps < PLAN_MAX_STEPS)
        plan->steps[plan->n_steps++] = step;
}

void plan_draw(struct plan *plan, uint64_t seed)
{
    struct test_random random = test_random_seed(seed);
    for (int i = 0; i < 8; i++)
        below(&random, 2);
    *plan =
        (struct plan){.seed = seed, .n_stages = 1 + (int)below(&random, PLAN_MAX_STAGES)};
    for (int i = 0; i < plan->n_stages; i++)
        plan->stages[i] = draw_stage(&random, i, plan->n_stages);
    bool crashes = chance(&random, 50);
    for (int i = 0; crashes && i < plan->n_stages; i++)
        plan->stages[i].is_supervised = chance(&random, 90);
    struct taste taste = draw_taste(&random, crashes);
    for (int i = 0; i < plan->n_stages; i++) {
        struct step start = {.kind = STEP_START, .stage = i, .flag = chance(&random, 75)};
        draw_link(plan, &random, &start);
        for (uint32_t late = chance(&random, 20) ? below(&random, 12) : 0; late > 0; late--)
            add_step(plan, draw_step(plan, &random, &taste));
        add_step(plan, start);
    }
    for (uint32_t n = 10 + below(&random, 120); n > 0; n--)
        add_step(plan, draw_step(plan, &random, &taste));
    uint32_t end = below(&random, 100);
    plan->finish = end < 90 ? FINISH_DRAIN : end < 95 ? FINISH_CUT_SHORT : FINISH_STOP;
}

/* -- in words -------------------------------------------------------------------------- */

#define XX(name, word) word,
static const char *const kinds[] = {SH_KIND_MAP(XX)};
static const char *const cancels[] = {SH_CANCEL_MAP(XX)};
#undef XX
static const char *const spreads[] = {"demand", "broadcast", "partition", "fair"};
static const char *const answer_words[] = {"exactly", "less", "more", "later"};
static const char *const work_words[] = {"map", "filter", "grow", "keep"};
static const char *const step_words[] = {
#define XX(name, text) text,
    PLAN_STEP_MAP(XX)
#undef XX
};

void plan_print_stage(const struct plan *plan, int index, FILE *file)
{
    const struct plan_stage *stage = &plan->stages[index];
    fprintf(file, "s%d: %s", index, kinds[stage->kind]);
    if (stage->kind != SH_CONSUMER) {
        fprintf(file, ", %s", spreads[stage->spread]);
        if (stage->spread == SPREAD_PARTITION)
            fprintf(file, " of %u%s%s, none %u, bad %u, limit %d", stage->n_partitions,
                    stage->groups ? " groups" : "",
                    stage->discards_abandoned ? " discards" : "", stage->none, stage->bad,
                    (int)stage->limit);
        if (stage->spread == SPREAD_BROADCAST && stage->replay > 0)
            fprintf(file, " replays %u", stage->replay);
        if (stage->spread == SPREAD_BROADCAST && stage->selects)
            fprintf(file, " with selectors");
        if (stage->spread == SPREAD_DEMAND)
            fprintf(file, " max %d%s", (int)stage->max_demand,
                    stage->shuffles ? " shuffled" : "");
        fprintf(file, ", buffer %d keep %s%s", (int)stage->buffer_size,
                stage->keep == SH_KEEP_FIRST ? "first" : "last",
                stage->discards_without_consumers ? ", discards without consumers" : "");
    }
    if (stage->kind == SH_PRODUCER || stage->answers_demand)
        fprintf(file, ", answers %s%s", answer_words[stage->answers],
                stage->accumulates ? ", accumulates" : "");
    if (stage->kind == SH_PRODUCER_CONSUMER)
        fprintf(file, ", %s%s", work_words[stage->work], stage->hears ? ", hears" : "");
    fprintf(file, "%s%s, waits %u%%\n", stage->ends_with_last ? ", ends with last" : "",
            stage->is_supervised ? ", supervised" : "", stage->waits);
}

void plan_print_step(const struct step *step, FILE *file)
{
    fprintf(file, "%s", step_words[step->kind]);
    if (step->kind == STEP_SETTLE) {
        fprintf(file, "\n");
        return;
    }
    fprintf(file, " s%d", step->stage);
    if (step->kind == STEP_SUBSCRIBE || step->kind == STEP_RESUBSCRIBE ||
        (step->kind == STEP_START && step->flag))
        fprintf(file, " to s%d max %d min %d %s%s", step->other, (int)step->n, (int)step->m,
                cancels[step->cancel],
                step->flag && step->kind != STEP_START ? " manual" : "");
    else if (step->kind != STEP_START)
        fprintf(file, " n %d flag %d", (int)step->n, step->flag);
    fprintf(file, " k %u\n", step->k);
}

void plan_print(const struct plan *plan, FILE *file)
{
    for (int i = 0; i < plan->n_steps; i++) {
        const struct step *step = &plan->steps[i];
        if (step->is_left_out)
            continue;
        fprintf(file, "  %2d ", i);
        plan_print_step(step, file);
        if (step->kind == STEP_START) {
            fprintf(file, "       ");
            plan_print_stage(plan, step->stage, file);
        }
    }
    static const char *const finishes[] = {"drain", "a drain cut short", "stop"};
    fprintf(file, "     finish: %s\n", finishes[plan->finish]);
}

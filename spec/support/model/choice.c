/* SPDX-License-Identifier: MIT
 *
 * Which events go where: the splitter of a partition dispatcher, the selectors of a
 * broadcast. */
#include "model.h"

/* -- partitions ------------------------------------------------------------------------ */

static bool is_one_in(uint32_t bound, int64_t event)
{
    return bound > 0 && MODEL_EVENT_N(event) % bound == bound - 1;
}

int choice_partition(const struct plan_stage *plan, int64_t event)
{
    if (is_one_in(plan->bad, event))
        return CHOICE_BAD;
    if (is_one_in(plan->none, event))
        return CHOICE_NONE;
    return (int)(MODEL_EVENT_N(event) / 2 % plan->n_partitions);
}

struct splitter {
    sh_splitter base;
    const struct plan_stage *plan;
};

static int split(sh_splitter *self, sh_split_job *job)
{
    const struct plan_stage *plan = ((struct splitter *)self)->plan;
    const sh_value *values = sh_batch_values(job->in);
    sh_value *sorted = sh_malloc(job->in.n * sizeof *sorted);
    for (uint32_t n = 0; job->taken < job->in.n && n < job->limit; job->taken++) {
        int partition = choice_partition(plan, values[job->taken].u.integer);
        job->bad += partition == CHOICE_BAD;
        job->skipped += partition < 0;
        n += partition >= 0;
    }
    if (job->bad > 0)
        job->error = sh_error_fmt(SH_REASON_CUSTOM, 0, "bad_event", "refused");
    for (size_t p = 0; p < job->n_parts; p++) {
        size_t n = 0;
        for (uint32_t i = 0; i < job->taken; i++)
            if (choice_partition(plan, values[i].u.integer) == (int)p)
                sorted[n++] = values[i];
        job->parts[p] = (sh_batch){0};
        if (n > 0)
            sh_batch_from_values(sorted, n, &job->parts[p]);
    }
    sh_free(sorted);
    return SH_OK;
}

static void free_splitter(sh_splitter *self)
{
    sh_free(self);
}

sh_splitter *choice_splitter(const struct plan_stage *plan)
{
    struct splitter *splitter = sh_malloc(sizeof *splitter);
    *splitter = (struct splitter){{.split = split, .free = free_splitter}, plan};
    return &splitter->base;
}

/* -- selectors ------------------------------------------------------------------------- */

struct selector {
    sh_selector base;
    struct side *side;
};

static int select_events(sh_selector *self, sh_worker *worker, sh_batch in, sh_batch *out,
                         sh_error **error)
{
    struct side *side = ((struct selector *)self)->side;
    const sh_value *values = sh_batch_values(in);
    sh_value *chosen = sh_malloc(in.n * sizeof *chosen);
    size_t n = 0;
    (void)worker;
    (void)error;
    for (uint32_t i = 0; i < in.n; i++)
        if (side_selects(side, values[i].u.integer))
            chosen[n++] = values[i];
    *out = (sh_batch){0};
    int status = n ? sh_batch_from_values(chosen, n, out) : SH_OK;
    sh_free(chosen);
    return status;
}

static void free_selector(sh_selector *self)
{
    sh_free(self);
}

sh_selector *choice_selector(struct side *side)
{
    struct selector *selector = sh_malloc(sizeof *selector);
    *selector = (struct selector){{select_events, free_selector}, side};
    return &selector->base;
}

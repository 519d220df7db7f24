/* SPDX-License-Identifier: MIT
 *
 * The handle of a stage: references, and questions to it from any thread. */
#include "stagehost/stage.h"

#include "stage/above.h"

sh_stage *sh_stage_ref(sh_stage *stage)
{
    atomic_fetch_add_explicit(&stage->refs, 1, memory_order_relaxed);
    return stage;
}

void sh_stage_unref(sh_stage *stage)
{
    if (!stage || atomic_fetch_sub_explicit(&stage->refs, 1, memory_order_acq_rel) != 1)
        return;
    sh_error_unref(stage->end_reason);
    sh__recovery_free(stage->recovery);
    sh_free(stage->name);
    sh_free(stage);
}

bool sh_stage_is_alive(const sh_stage *stage)
{
    return atomic_load(&stage->alive);
}

sh_kind sh_stage_kind(const sh_stage *stage)
{
    return stage->kind;
}

bool sh_stage_has_results(const sh_stage *stage)
{
    return stage->has_results;
}

uint64_t sh_stage_id(const sh_stage *stage)
{
    return stage->id;
}

const char *sh_stage_name(const sh_stage *stage)
{
    return sh__stage_label(stage);
}

unsigned sh_stage_worker_index(const sh_stage *stage)
{
    return stage->worker->index;
}

sh_worker *sh_stage_worker(sh_stage *stage)
{
    return stage->worker;
}

void *sh_stage_state(sh_stage *stage)
{
    return stage->state;
}

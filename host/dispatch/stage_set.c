/* SPDX-License-Identifier: MIT */
#include "dispatch/stage_set.h"

#include <assert.h>

#include "base/alloc.h"

void sh__stage_set_fini(struct sh__stage_set *set)
{
    sh_free(set->slots);
    *set = (struct sh__stage_set){0};
}

/* The slot that a stage would get if every slot were free. */
static uint32_t home_of(const struct sh__stage_set *set, const sh_stage *stage)
{
    uint64_t hash = (uint64_t)(uintptr_t)stage * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash >> 32) & (set->capacity - 1);
}

/* The slot that holds the stage, or the free one that would. */
static uint32_t find_slot(const struct sh__stage_set *set, const sh_stage *stage)
{
    uint32_t i = home_of(set, stage);
    while (set->slots[i] && set->slots[i] != stage)
        i = (i + 1) & (set->capacity - 1);
    return i;
}

static int grow(struct sh__stage_set *set)
{
    struct sh__stage_set larger = {.capacity = set->capacity ? 2 * set->capacity : 8,
                                   .n = set->n};
    larger.slots = sh__calloc(larger.capacity, sizeof(sh_stage *));
    if (!larger.slots)
        return SH_ENOMEM;
    for (uint32_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            larger.slots[find_slot(&larger, set->slots[i])] = set->slots[i];
    sh_free(set->slots);
    *set = larger;
    return SH_OK;
}

int sh__stage_set_add(struct sh__stage_set *set, sh_stage *stage)
{
    if (set->capacity > 0 && set->slots[find_slot(set, stage)])
        return SH_EEXIST;
    if (2 * (set->n + 1) > set->capacity && grow(set) != SH_OK)
        return SH_ENOMEM;
    set->slots[find_slot(set, stage)] = stage;
    set->n++;
    return SH_OK;
}

void sh__stage_set_remove(struct sh__stage_set *set, const sh_stage *stage)
{
    uint32_t mask = set->capacity - 1;
    uint32_t hole = find_slot(set, stage);
    assert(set->slots[hole] == stage);
    /* Entries after the hole move into it unless it is before their home. */
    for (uint32_t i = (hole + 1) & mask; set->slots[i]; i = (i + 1) & mask) {
        uint32_t from_home = (i - home_of(set, set->slots[i])) & mask;
        if (from_home >= ((i - hole) & mask)) {
            set->slots[hole] = set->slots[i];
            hole = i;
        }
    }
    set->slots[hole] = NULL;
    set->n--;
}

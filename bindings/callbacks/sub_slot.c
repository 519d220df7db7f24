/* SPDX-License-Identifier: MIT
 *
 * The objects of a stage's subscriptions are kept in slots, and a subscription knows the place of
 * its own in the stage's array of them: so handle_events gets its `from` without a look-up. */
#include "callbacks/sub_slot.h"

#include "state/handle.h"
#include "state/slot.h"

uint32_t shl_sub_slot_find(const struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    uintptr_t index = (uintptr_t)*sh_subscription_slot(sub, own);
    return index ? s->sub_slots[index - 1] : 0;
}

static uint32_t free_place(struct shl_stage *s)
{
    for (uint32_t i = 0; i < s->n_sub_slots; i++)
        if (s->sub_slots[i] == 0)
            return i;
    uint32_t n = s->n_sub_slots ? s->n_sub_slots * 2 : 2;
    uint32_t *slots = sh_realloc(s->sub_slots, n * sizeof *slots);
    if (!slots)
        return UINT32_MAX;
    s->sub_slots = slots;
    uint32_t index = s->n_sub_slots;
    for (; s->n_sub_slots < n; s->n_sub_slots++)
        slots[s->n_sub_slots] = 0;
    return index;
}

void shl_sub_slot_push(lua_State *L, struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    uint32_t slot = shl_sub_slot_find(s, sub, own);
    if (slot) {
        shl_slot_push(s->ctx, L, slot);
        return;
    }
    shl_push_subscription(L, sub);
    uint32_t index = free_place(s);
    if (index == UINT32_MAX)
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    lua_pushvalue(L, -1);
    s->sub_slots[index] = shl_slot_take(s->ctx, L);
    *sh_subscription_slot(sub, own) = (void *)((uintptr_t)index + 1);
}

void shl_sub_slot_drop(struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    void **place = sh_subscription_slot(sub, own);
    if (!*place)
        return;
    uint32_t index = (uint32_t)((uintptr_t)*place - 1);
    if (s->from_slot == s->sub_slots[index])
        s->from_slot = 0; /* the number will be another object's */
    shl_slot_free(s->ctx, s->sub_slots[index]);
    s->sub_slots[index] = 0;
    *place = NULL;
}

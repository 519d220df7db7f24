/* SPDX-License-Identifier: MIT
 *
 * The objects of a stage's subscriptions are kept in slots, and a subscription knows the place of
 * its own in the stage's array of them: so handle_events gets its `from` without a look-up. */
#include "callbacks/sub_slot.h"

#include "state/handle.h"
#include "state/slot.h"

uint32_t shl_link_slot(const struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    uintptr_t index = (uintptr_t)*sh_subscription_slot(sub, own);
    return index ? s->links[index - 1] : 0;
}

static uint32_t free_link(struct shl_stage *s)
{
    for (uint32_t i = 0; i < s->n_links; i++)
        if (s->links[i] == 0)
            return i;
    uint32_t n = s->n_links ? s->n_links * 2 : 2;
    uint32_t *links = sh_realloc(s->links, n * sizeof *links);
    if (!links)
        return UINT32_MAX;
    s->links = links;
    uint32_t index = s->n_links;
    for (; s->n_links < n; s->n_links++)
        links[s->n_links] = 0;
    return index;
}

void shl_link_push(lua_State *L, struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    uint32_t slot = shl_link_slot(s, sub, own);
    if (slot) {
        shl_slot_push(s->ctx, L, slot);
        return;
    }
    shl_push_subscription(L, sub);
    uint32_t index = free_link(s);
    if (index == UINT32_MAX)
        luaL_error(L, "%s", sh_strerror(SH_ENOMEM));
    lua_pushvalue(L, -1);
    s->links[index] = shl_slot_take(s->ctx, L);
    *sh_subscription_slot(sub, own) = (void *)((uintptr_t)index + 1);
}

void shl_link_drop(struct shl_stage *s, sh_subscription *sub, sh_role own)
{
    void **place = sh_subscription_slot(sub, own);
    if (!*place)
        return;
    uint32_t index = (uint32_t)((uintptr_t)*place - 1);
    if (s->from_slot == s->links[index])
        s->from_slot = 0; /* the number will be another object's */
    shl_slot_free(s->ctx, s->links[index]);
    s->links[index] = 0;
    *place = NULL;
}

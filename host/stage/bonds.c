/* SPDX-License-Identifier: MIT */
#include "stage/bonds.h"

#include <assert.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 2 }; /* most stages have one bond: with their supervisor */

/* The slot of a bond if every slot were free. */
static uint32_t home_of(const struct sh__bonds *bonds, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (bonds->capacity - 1);
}

/* The slot that holds the key, or the free slot for it. */
static struct sh__bond *find_slot(const struct sh__bonds *bonds, uint64_t key)
{
    uint32_t i = home_of(bonds, key);
    while (bonds->slots[i].key && bonds->slots[i].key != key)
        i = (i + 1) & (bonds->capacity - 1);
    return &bonds->slots[i];
}

static int grow(struct sh__bonds *bonds)
{
    uint32_t capacity = bonds->capacity ? 2 * bonds->capacity : FIRST_CAPACITY;
    struct sh__bonds larger = {.capacity = capacity, .n = bonds->n};
    larger.slots = sh__calloc(capacity, sizeof(struct sh__bond));
    if (!larger.slots)
        return SH_ENOMEM;
    for (uint32_t i = 0; i < bonds->capacity; i++)
        if (bonds->slots[i].key)
            *find_slot(&larger, bonds->slots[i].key) = bonds->slots[i];
    sh_free(bonds->slots);
    *bonds = larger;
    return SH_OK;
}

struct sh__bond *sh__bonds_find(const struct sh__bonds *bonds, uint64_t key)
{
    struct sh__bond *bond = bonds->n > 0 ? find_slot(bonds, key) : NULL;
    return bond && bond->key ? bond : NULL;
}

int sh__bonds_add(struct sh__bonds *bonds, uint64_t key, sh_stage *peer)
{
    assert(key > 0 && !sh__bonds_find(bonds, key));
    if (2 * (bonds->n + 1) > bonds->capacity && grow(bonds) != SH_OK)
        return SH_ENOMEM;
    *find_slot(bonds, key) = (struct sh__bond){.key = key, .peer = sh_stage_ref(peer)};
    bonds->n++;
    return SH_OK;
}

void sh__bonds_remove(struct sh__bonds *bonds, struct sh__bond *bond)
{
    uint32_t mask = bonds->capacity - 1;
    uint32_t hole = (uint32_t)(bond - bonds->slots);
    sh_stage *peer = bond->peer;
    assert(bond->key);
    /* Entries after the hole move into it unless it is before their home. */
    for (uint32_t i = (hole + 1) & mask; bonds->slots[i].key; i = (i + 1) & mask) {
        uint32_t from_home = (i - home_of(bonds, bonds->slots[i].key)) & mask;
        if (from_home >= ((i - hole) & mask)) {
            bonds->slots[hole] = bonds->slots[i];
            hole = i;
        }
    }
    bonds->slots[hole] = (struct sh__bond){0};
    bonds->n--;
    sh_stage_unref(peer);
}

void sh__bonds_fini(struct sh__bonds *bonds)
{
    for (uint32_t i = 0; i < bonds->capacity; i++)
        if (bonds->slots[i].key)
            sh_stage_unref(bonds->slots[i].peer);
    sh_free(bonds->slots);
    *bonds = (struct sh__bonds){0};
}

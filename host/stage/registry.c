/* SPDX-License-Identifier: MIT
 *
 * Names of stages: a hash table with open addressing and tombstone-free deletion (backward
 * shift). Names are looked up when a stage starts or subscribes by name, not per event. */
#include "stage/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "stage/host_state.h"
#include "stage/stage.h"

struct sh__registry {
    sh_stage **slots; /* borrowed: a stage leaves when it ends */
    size_t capacity, count;
};

static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

/* The slot that holds `name`, or the free slot for it. */
static size_t find_slot(const struct sh__registry *registry, const char *name)
{
    size_t i = hash_name(name) & (registry->capacity - 1);
    while (registry->slots[i] && strcmp(registry->slots[i]->name, name) != 0)
        i = (i + 1) & (registry->capacity - 1);
    return i;
}

static bool grow(struct sh__registry *registry)
{
    struct sh__registry old = *registry;
    size_t capacity = old.capacity ? old.capacity * 2 : 32;
    registry->slots = sh__calloc(capacity, sizeof *registry->slots);
    if (!registry->slots) {
        *registry = old;
        return false;
    }
    registry->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i])
            registry->slots[find_slot(registry, old.slots[i]->name)] = old.slots[i];
    sh_free(old.slots);
    return true;
}

static int add_locked(sh_host *host, const char *name, sh_stage *stage)
{
    if (!host->registry) {
        host->registry = sh__calloc(1, sizeof *host->registry);
        if (!host->registry)
            return SH_ENOMEM;
    }
    struct sh__registry *registry = host->registry;
    if (registry->count * 2 >= registry->capacity && !grow(registry))
        return SH_ENOMEM;
    size_t slot = find_slot(registry, name);
    if (registry->slots[slot])
        return SH_EEXIST;
    registry->slots[slot] = stage;
    registry->count++;
    return SH_OK;
}

int sh__registry_add(sh_host *host, const char *name, sh_stage *stage)
{
    uv_mutex_lock(&host->lock);
    int status = add_locked(host, name, stage);
    uv_mutex_unlock(&host->lock);
    return status;
}

/* Fills the hole at `slot` with an entry that was pushed past it, and so on. */
static void close_hole(struct sh__registry *registry, size_t slot)
{
    size_t mask = registry->capacity - 1;
    for (size_t i = (slot + 1) & mask; registry->slots[i]; i = (i + 1) & mask) {
        size_t home = hash_name(registry->slots[i]->name) & mask;
        if (((i - home) & mask) < ((i - slot) & mask))
            continue;
        registry->slots[slot] = registry->slots[i];
        registry->slots[i] = NULL;
        slot = i;
    }
}

void sh__registry_remove(sh_host *host, const char *name, const sh_stage *stage)
{
    uv_mutex_lock(&host->lock);
    struct sh__registry *registry = host->registry;
    if (registry && registry->capacity) {
        size_t slot = find_slot(registry, name);
        if (registry->slots[slot] == stage) {
            registry->slots[slot] = NULL;
            registry->count--;
            close_hole(registry, slot);
        }
    }
    uv_mutex_unlock(&host->lock);
}

sh_stage *sh__registry_find(const sh_host *host, const char *name)
{
    const struct sh__registry *registry = host->registry;
    return registry && registry->capacity ? registry->slots[find_slot(registry, name)]
                                          : NULL;
}

sh_stage *sh_whereis(sh_host *host, const char *name)
{
    uv_mutex_lock(&host->lock);
    sh_stage *stage = sh__registry_find(host, name);
    if (stage)
        sh_stage_ref(stage); /* under the lock: it can't be freed in between */
    uv_mutex_unlock(&host->lock);
    return stage;
}

/* One block: the pointers, then the names. */
static char **copy_names(const struct sh__registry *registry, size_t *n)
{
    size_t size = sizeof(char *);
    for (size_t i = 0; registry && i < registry->capacity; i++)
        if (registry->slots[i])
            size += sizeof(char *) + strlen(registry->slots[i]->name) + 1;
    char **names = sh_malloc(size);
    char *room = names ? (char *)(names + (registry ? registry->count : 0)) : NULL;
    for (size_t i = 0; names && registry && i < registry->capacity; i++) {
        if (!registry->slots[i])
            continue;
        size_t len = strlen(registry->slots[i]->name) + 1;
        names[(*n)++] = memcpy(room, registry->slots[i]->name, len);
        room += len;
    }
    return names;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

char **sh_names(sh_host *host, size_t *n)
{
    *n = 0;
    uv_mutex_lock(&host->lock);
    char **names = copy_names(host->registry, n);
    uv_mutex_unlock(&host->lock);
    if (names)
        qsort(names, *n, sizeof *names, compare_names);
    return names;
}

void sh__registry_free(sh_host *host)
{
    if (host->registry)
        sh_free(host->registry->slots);
    sh_free(host->registry);
    host->registry = NULL;
}

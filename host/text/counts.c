/* SPDX-License-Identifier: MIT
 *
 * A hash table of keys and their counts. Keys are entries of one list, in the order in which they
 * came, and their bytes stand one behind the other: so a table of many keys is three allocations.
 * The slots, of which at least a quarter is free, have a part of the hash, so that a slot of
 * another key costs no look at its entry. */
#include <string.h>

#include "base/compiler.h"
#include "stagehost/hash.h"
#include "stagehost/text.h"

enum { FIRST_SLOTS = 256 };

struct entry {
    uint64_t n;
    uint64_t hash;
    size_t start; /* in the bytes */
    uint32_t len;
};

struct slot {
    uint32_t tag;   /* the upper half of the hash */
    uint32_t entry; /* its number from 1; 0: the slot is free */
};

struct sh_counts {
    struct slot *slots;
    uint32_t n_slots; /* a power of two */
    struct entry *entries;
    uint32_t n, capacity;
    char *bytes;
    size_t n_bytes, bytes_capacity;
};

sh_counts *sh_counts_new(void)
{
    sh_counts *counts = sh_malloc(sizeof *counts);
    if (counts)
        *counts = (sh_counts){0};
    return counts;
}

void sh_counts_free(sh_counts *counts)
{
    if (!counts)
        return;
    sh_free(counts->slots);
    sh_free(counts->entries);
    sh_free(counts->bytes);
    sh_free(counts);
}

uint32_t sh_counts_n(const sh_counts *counts)
{
    return counts->n;
}

sh_count sh_counts_at(const sh_counts *counts, uint32_t i)
{
    const struct entry *entry = &counts->entries[i];
    return (sh_count){counts->bytes + entry->start, entry->len, entry->n};
}

/* -- room ------------------------------------------------------------------------------ */

static uint32_t slot_of(const sh_counts *counts, uint64_t hash)
{
    return (uint32_t)hash & (counts->n_slots - 1);
}

static void fill_slots(sh_counts *counts)
{
    for (uint32_t i = 0; i < counts->n; i++) {
        uint64_t hash = counts->entries[i].hash;
        uint32_t at = slot_of(counts, hash);
        while (counts->slots[at].entry != 0)
            at = (at + 1) & (counts->n_slots - 1);
        counts->slots[at] = (struct slot){(uint32_t)(hash >> 32), i + 1};
    }
}

static bool grow_slots(sh_counts *counts)
{
    uint32_t n = counts->n_slots > 0 ? 2 * counts->n_slots : FIRST_SLOTS;
    struct slot *slots = n > counts->n_slots ? sh_malloc(n * sizeof *slots) : NULL;
    if (!slots)
        return false;
    memset(slots, 0, n * sizeof *slots);
    sh_free(counts->slots);
    counts->slots = slots;
    counts->n_slots = n;
    fill_slots(counts);
    return true;
}

static bool grow_entries(sh_counts *counts)
{
    uint32_t capacity = counts->capacity > 0 ? 2 * counts->capacity : FIRST_SLOTS / 2;
    struct entry *entries = sh_realloc(counts->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    counts->entries = entries;
    counts->capacity = capacity;
    return true;
}

static bool grow_bytes(sh_counts *counts, uint32_t len)
{
    size_t capacity = 2 * counts->bytes_capacity + len + 1024;
    char *bytes = sh_realloc(counts->bytes, capacity);
    if (!bytes)
        return false;
    counts->bytes = bytes;
    counts->bytes_capacity = capacity;
    return true;
}

/* Room for one more key. A failure leaves a table that can be used. */
static bool make_room(sh_counts *counts, uint32_t len)
{
    return (counts->n < counts->n_slots / 4 * 3 || grow_slots(counts)) &&
           (counts->n < counts->capacity || grow_entries(counts)) &&
           (len <= counts->bytes_capacity - counts->n_bytes || grow_bytes(counts, len));
}

/* -- counting -------------------------------------------------------------------------- */

static bool is_key(const sh_counts *counts, uint32_t i, const char *key, uint32_t len)
{
    const struct entry *entry = &counts->entries[i];
    return entry->len == len &&
           (len == 0 || memcmp(counts->bytes + entry->start, key, len) == 0);
}

/* The slot of the key, or the free one where it belongs. */
static struct slot *find_slot(const sh_counts *counts, uint64_t hash, const char *key,
                              uint32_t len)
{
    uint32_t tag = (uint32_t)(hash >> 32), at = slot_of(counts, hash);
    struct slot *slot;
    while ((slot = &counts->slots[at])->entry != 0) {
        if (slot->tag == tag && is_key(counts, slot->entry - 1, key, len))
            break;
        at = (at + 1) & (counts->n_slots - 1);
    }
    return slot;
}

static bool add_key(sh_counts *counts, uint64_t hash, const char *key, uint32_t len,
                    uint64_t n)
{
    if (!make_room(counts, len))
        return false;
    struct slot *slot = find_slot(counts, hash, key, len);
    counts->entries[counts->n] = (struct entry){n, hash, counts->n_bytes, len};
    if (len > 0)
        memcpy(counts->bytes + counts->n_bytes, key, len);
    counts->n_bytes += len;
    *slot = (struct slot){(uint32_t)(hash >> 32), ++counts->n};
    return true;
}

static bool count(sh_counts *counts, uint64_t hash, const char *key, uint32_t len,
                  uint64_t n)
{
    const struct slot *slot =
        counts->n_slots > 0 ? find_slot(counts, hash, key, len) : NULL;
    if (!slot || slot->entry == 0)
        return add_key(counts, hash, key, len, n);
    counts->entries[slot->entry - 1].n += n;
    return true;
}

/* A key to be counted. */
struct key {
    const char *bytes;
    uint32_t len;
    uint64_t hash;
};

/* With many keys, each of the slot, the entry and the bytes of a key is a cache miss. For a group
 * of keys these misses are waited for together. */
static void fetch(const sh_counts *counts, const struct key *keys, uint32_t n)
{
    if (counts->n_slots == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        sh__prefetch(&counts->slots[slot_of(counts, keys[i].hash)]);
    for (uint32_t i = 0; i < n; i++)
        sh__prefetch(&counts->entries[counts->slots[slot_of(counts, keys[i].hash)].entry]);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t entry = counts->slots[slot_of(counts, keys[i].hash)].entry;
        if (entry > 0)
            sh__prefetch(counts->bytes + counts->entries[entry - 1].start);
    }
}

int sh_counts_add(sh_counts *counts, sh_strings_view in, const sh_field *field)
{
    enum { GROUP = 32 };
    struct key keys[GROUP];
    for (uint32_t first = 0; first < in.n; first += GROUP) {
        uint32_t n = in.n - first < GROUP ? in.n - first : GROUP;
        for (uint32_t i = 0; i < n; i++) {
            sh_span span = sh_field_find(field, in.bytes, in.spans[first + i]);
            const char *bytes = in.bytes + span.start;
            keys[i] = (struct key){bytes, span.len, sh_hash_bytes(bytes, span.len)};
        }
        fetch(counts, keys, n);
        for (uint32_t i = 0; i < n; i++)
            if (!count(counts, keys[i].hash, keys[i].bytes, keys[i].len, 1))
                return SH_ENOMEM;
    }
    return SH_OK;
}

int sh_counts_merge(sh_counts *counts, const sh_counts *others)
{
    for (uint32_t i = 0; i < others->n; i++) {
        const struct entry *entry = &others->entries[i];
        if (!count(counts, entry->hash, others->bytes + entry->start, entry->len, entry->n))
            return SH_ENOMEM;
    }
    return SH_OK;
}

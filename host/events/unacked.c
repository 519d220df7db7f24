/* SPDX-License-Identifier: MIT
 *
 * The parts are in sequence in an array. Acknowledged parts leave at the head; when the end of
 * the array is reached, the rest moves down or the array grows. */
#include "events/unacked.h"

#include <string.h>

#include "events/batch.h"

enum { INITIAL_CAPACITY = 8 };

static sh_returned *part_at(const struct sh__unacked *unacked, uint32_t i)
{
    return &unacked->parts[unacked->head + i];
}

/* Makes room for one more part, and for another one that splitting may make. */
static bool reserve(struct sh__unacked *unacked)
{
    if (unacked->head + unacked->length + 1 < unacked->capacity)
        return true;
    if (unacked->length + 1 < unacked->capacity / 2) {
        memmove(unacked->parts, part_at(unacked, 0),
                unacked->length * sizeof *unacked->parts);
        unacked->head = 0;
        return true;
    }
    if (unacked->capacity > UINT32_MAX / 2)
        return false;
    uint32_t capacity = unacked->capacity ? 2 * unacked->capacity : INITIAL_CAPACITY;
    sh_returned *parts = sh_malloc(capacity * sizeof *parts);
    if (!parts)
        return false;
    if (unacked->length > 0)
        memcpy(parts, part_at(unacked, 0), unacked->length * sizeof *parts);
    sh_free(unacked->parts);
    unacked->parts = parts;
    unacked->capacity = capacity;
    unacked->head = 0;
    return true;
}

int sh__unacked_push(struct sh__unacked *unacked, sh_batch events, uint32_t delivery)
{
    if (!reserve(unacked))
        return SH_ENOMEM;
    sh__batch_compact(&events);
    *part_at(unacked, unacked->length++) = (sh_returned){events, delivery};
    unacked->events += events.n;
    return SH_OK;
}

void sh__unacked_drop_newest(struct sh__unacked *unacked, int64_t n)
{
    unacked->events -= n;
    while (n > 0) {
        sh_batch *last = &part_at(unacked, unacked->length - 1)->events;
        if (last->n > n) {
            last->n -= (uint32_t)n;
            return;
        }
        n -= last->n;
        sh__batch_unref(*last);
        unacked->length--;
    }
}

int64_t sh__unacked_drop_oldest(struct sh__unacked *unacked, int64_t n)
{
    int64_t dropped = n < unacked->events ? n : unacked->events;
    unacked->events -= dropped;
    for (n = dropped; n > 0;) {
        sh_batch *first = &part_at(unacked, 0)->events;
        if (first->n > n) {
            first->first += (uint32_t)n;
            first->n -= (uint32_t)n;
            break;
        }
        n -= first->n;
        sh__batch_unref(*first);
        unacked->head++;
        unacked->length--;
    }
    if (unacked->length == 0)
        unacked->head = 0;
    return dropped;
}

/* Cuts part i after its first n events. There is room for one more part. */
static void split(struct sh__unacked *unacked, uint32_t i, uint32_t n)
{
    sh_returned *part = part_at(unacked, i);
    memmove(part + 1, part, (unacked->length - i) * sizeof *part);
    unacked->length++;
    part[1].events.first += n;
    part[1].events.n -= n;
    part[0].events = sh__batch_ref(part[0].events);
    part[0].events.n = n;
}

void sh__unacked_take(struct sh__unacked *unacked, int64_t begun, sh_returned **parts,
                      uint32_t *n)
{
    for (uint32_t i = 0; i < unacked->length && begun > 0; i++) {
        sh_returned *part = part_at(unacked, i);
        if (part->events.n > begun)
            split(unacked, i, (uint32_t)begun);
        part->delivery++;
        begun -= part->events.n;
    }
    *parts = unacked->parts ? part_at(unacked, 0) : NULL;
    *n = unacked->length;
    unacked->head = unacked->length = 0;
    unacked->events = 0;
}

void sh__unacked_fini(struct sh__unacked *unacked)
{
    sh__unacked_drop_newest(unacked, unacked->events);
    sh_free(unacked->parts);
    *unacked = (struct sh__unacked){0};
}

/* SPDX-License-Identifier: MIT
 *
 * Invariants: a marker comes after an event; it is at the head only if it was put back there,
 * in front of an event. So the ring is empty exactly when `count` is 0. The scratch of
 * sh__buffer_take is allocated with the ring, so taking can always go on without memory, if in
 * smaller steps. */
#include "events/buffer.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/compiler.h"
#include "events/batch.h"

enum { INITIAL_CAPACITY = 8 };

void sh__buffer_init(struct sh__buffer *buffer, int64_t size, sh_keep keep)
{
    assert(size >= 0 || size == SH_BUFFER_INFINITY);
    *buffer = (struct sh__buffer){.size = size, .keep = keep};
}

static struct sh__entry *entry_at(const struct sh__buffer *buffer, uint32_t i)
{
    return &buffer->ring[(buffer->head + i) & (buffer->capacity - 1)];
}

static bool is_marker(const struct sh__entry *entry)
{
    return entry->batch.n == 0;
}

static bool is_returned(const struct sh__entry *entry)
{
    return !is_marker(entry) && entry->u.delivery > 0;
}

static void pop_entry(struct sh__buffer *buffer)
{
    buffer->head = (buffer->head + 1) & (buffer->capacity - 1);
    buffer->length--;
}

static bool grow_taken(struct sh__buffer *buffer)
{
    uint32_t capacity = buffer->taken ? buffer->taken_capacity * 2 : INITIAL_CAPACITY;
    sh_batch *taken = sh_realloc(buffer->taken, capacity * sizeof *taken);
    if (!taken)
        return false;
    buffer->taken = taken;
    buffer->taken_capacity = capacity;
    return true;
}

static int grow_ring(struct sh__buffer *buffer, uint32_t wanted)
{
    uint32_t capacity = buffer->capacity ? buffer->capacity : INITIAL_CAPACITY;
    while (capacity < wanted) {
        if (capacity > UINT32_MAX / 2)
            return SH_ENOMEM;
        capacity *= 2;
    }
    if (!buffer->taken && !grow_taken(buffer))
        return SH_ENOMEM;
    struct sh__entry *ring = sh__calloc(capacity, sizeof *ring);
    if (!ring)
        return SH_ENOMEM;
    for (uint32_t i = 0; i < buffer->length; i++)
        ring[i] = *entry_at(buffer, i);
    sh_free(buffer->ring);
    buffer->ring = ring;
    buffer->capacity = capacity;
    buffer->head = 0;
    return SH_OK;
}

int sh__buffer_reserve(struct sh__buffer *buffer, uint32_t n)
{
    if (n <= buffer->capacity - buffer->length)
        return SH_OK;
    if (n > UINT32_MAX - buffer->length)
        return SH_ENOMEM;
    return grow_ring(buffer, buffer->length + n);
}

/* Whether range `next` begins where `batch` ends: then both become one entry. */
static bool is_continued(const sh_batch *batch, const sh_batch *next)
{
    return batch->list == next->list && batch->first + batch->n == next->first;
}

/* Appends an entry, for which room is reserved. */
static void append_events(struct sh__buffer *buffer, sh_batch batch)
{
    buffer->count += batch.n;
    if (buffer->length > 0) {
        struct sh__entry *last = entry_at(buffer, buffer->length - 1);
        if (!is_marker(last) && last->u.delivery == 0 &&
            is_continued(&last->batch, &batch)) {
            last->batch.n += batch.n;
            sh__batch_unref(batch);
            return;
        }
    }
    sh__batch_compact(&batch);
    *entry_at(buffer, buffer->length++) = (struct sh__entry){.batch = batch};
}

static bool release_markers(struct sh__buffer *buffer, struct sh__markers *released)
{
    bool any = false;
    while (buffer->length > 0 && is_marker(entry_at(buffer, 0))) {
        sh__markers_push(released, entry_at(buffer, 0)->u.marker);
        pop_entry(buffer);
        any = true;
    }
    return any;
}

/* The number of events that came back; they are before all others. */
static int64_t count_returned(const struct sh__buffer *buffer)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < buffer->length; i++) {
        const struct sh__entry *entry = entry_at(buffer, i);
        if (is_returned(entry))
            n += entry->batch.n;
        else if (!is_marker(entry))
            break;
    }
    return n;
}

/* Drops the oldest n of the other events. Markers stay: events that came back are before them. */
static void drop_behind_returned(struct sh__buffer *buffer, int64_t n)
{
    uint32_t kept = 0;
    buffer->count -= n;
    for (uint32_t i = 0; i < buffer->length; i++) {
        struct sh__entry entry = *entry_at(buffer, i);
        if (n > 0 && !is_marker(&entry) && !is_returned(&entry)) {
            uint32_t dropped = entry.batch.n < n ? entry.batch.n : (uint32_t)n;
            n -= dropped;
            entry.batch.first += dropped;
            entry.batch.n -= dropped;
            if (entry.batch.n == 0) {
                sh__batch_unref(entry.batch);
                continue;
            }
        }
        *entry_at(buffer, kept++) = entry;
    }
    buffer->length = kept;
}

static void drop_oldest(struct sh__buffer *buffer, int64_t n, struct sh__markers *released)
{
    if (n > 0 && sh__unlikely(count_returned(buffer) > 0)) {
        drop_behind_returned(buffer, n);
        return;
    }
    if (n > 0)
        release_markers(buffer, released);
    buffer->count -= n;
    while (n > 0) {
        struct sh__entry *head = entry_at(buffer, 0);
        if (head->batch.n > n) {
            head->batch.first += (uint32_t)n;
            head->batch.n -= (uint32_t)n;
            sh__batch_compact(&head->batch);
            return;
        }
        n -= head->batch.n;
        sh__batch_unref(head->batch);
        pop_entry(buffer);
        release_markers(buffer, released);
    }
}

/* Drops `excess` events, old ones or those of `batch`, so that it fits; may leave it empty. */
static sh_batch make_fit(struct sh__buffer *buffer, sh_batch batch, int64_t excess,
                         struct sh__markers *released)
{
    if (buffer->keep == SH_KEEP_LAST) {
        int64_t most = buffer->count - count_returned(buffer);
        int64_t old = excess < most ? excess : most;
        drop_oldest(buffer, old, released);
        batch.first += (uint32_t)(excess - old);
        batch.n -= (uint32_t)(excess - old);
    } else {
        batch.n = excess < batch.n ? batch.n - (uint32_t)excess : 0;
    }
    return batch;
}

int sh__buffer_store(struct sh__buffer *buffer, sh_batch batch,
                     struct sh__markers *released, uint64_t *discarded)
{
    *discarded = 0;
    if (batch.n == 0) {
        sh__batch_unref(batch);
        return SH_OK;
    }
    /* Reserves memory before anything is dropped, so that a failure changes nothing. */
    if (sh__buffer_reserve(buffer, 1) != SH_OK) {
        sh__batch_unref(batch);
        return SH_ENOMEM;
    }
    if (buffer->size != SH_BUFFER_INFINITY && buffer->count + batch.n > buffer->size) {
        int64_t before = buffer->count + batch.n;
        int64_t excess = before - count_returned(buffer) - buffer->size;
        if (excess > 0)
            batch = make_fit(buffer, batch, excess, released);
        *discarded = (uint64_t)(before - buffer->count - batch.n);
    }
    if (batch.n == 0)
        sh__batch_unref(batch);
    else
        append_events(buffer, batch);
    return SH_OK;
}

int sh__buffer_put_back(struct sh__buffer *buffer, sh_batch batch)
{
    return sh__buffer_return(buffer, batch, 0);
}

int sh__buffer_return(struct sh__buffer *buffer, sh_batch batch, uint32_t delivery)
{
    if (batch.n == 0) {
        sh__batch_unref(batch);
        return SH_OK;
    }
    if (buffer->length > 0 && is_continued(&batch, &entry_at(buffer, 0)->batch) &&
        entry_at(buffer, 0)->u.delivery == delivery) {
        sh_batch *head = &entry_at(buffer, 0)->batch;
        head->first = batch.first;
        head->n += batch.n;
        sh__batch_unref(batch);
    } else if (sh__buffer_reserve(buffer, 1) == SH_OK) {
        buffer->head = (buffer->head - 1) & (buffer->capacity - 1);
        buffer->length++;
        sh__batch_compact(&batch);
        *entry_at(buffer, 0) = (struct sh__entry){.batch = batch, .u.delivery = delivery};
    } else {
        sh__batch_unref(batch);
        return SH_ENOMEM;
    }
    buffer->count += batch.n;
    return SH_OK;
}

int sh__buffer_put_back_markers(struct sh__buffer *buffer, struct sh__markers *markers)
{
    uint32_t n = 0;
    for (const sh_marker *marker = markers->head; marker; marker = marker->next)
        n++;
    if (sh__buffer_reserve(buffer, n) < 0)
        return SH_ENOMEM;
    buffer->head = (buffer->head - n) & (buffer->capacity - 1);
    buffer->length += n;
    for (uint32_t i = 0; i < n; i++)
        *entry_at(buffer, i) = (struct sh__entry){.u.marker = sh__markers_pop(markers)};
    return SH_OK;
}

int sh__buffer_mark(struct sh__buffer *buffer, sh_marker *marker)
{
    if (buffer->count == 0)
        return SH_ESTATE;
    if (sh__buffer_reserve(buffer, 1) != SH_OK)
        return SH_ENOMEM;
    *entry_at(buffer, buffer->length++) = (struct sh__entry){.u.marker = marker};
    return SH_OK;
}

int64_t sh__buffer_take(struct sh__buffer *buffer, int64_t n, sh_batch **parts,
                        uint32_t *n_parts, struct sh__markers *released)
{
    int64_t got = 0;
    *n_parts = 0;
    *parts = buffer->taken;
    if (n > 0 && release_markers(buffer, released))
        return 0;
    buffer->taken_delivery =
        buffer->length > 0 ? (uint32_t)entry_at(buffer, 0)->u.delivery : 0;
    while (got < n && buffer->length > 0 &&
           entry_at(buffer, 0)->u.delivery == buffer->taken_delivery) {
        if (*n_parts == buffer->taken_capacity && !grow_taken(buffer))
            break;
        sh_batch *part = &buffer->taken[(*n_parts)++];
        sh_batch *head = &entry_at(buffer, 0)->batch;
        if (head->n > n - got) {
            *part = sh_batch_slice(*head, 0, (uint32_t)(n - got));
            head->first += part->n;
            head->n -= part->n;
            sh__batch_compact(head);
            got = n;
            break;
        }
        *part = *head;
        got += part->n;
        pop_entry(buffer);
        if (release_markers(buffer, released))
            break;
    }
    *parts = buffer->taken;
    buffer->count -= got;
    return got;
}

int64_t sh__buffer_clear(struct sh__buffer *buffer, struct sh__markers *released)
{
    int64_t n = buffer->count - count_returned(buffer);
    drop_oldest(buffer, n, released);
    return n;
}

static bool is_info(const struct sh__entry *entry)
{
    return is_marker(entry) && entry->u.marker->kind == SH__MARKER_INFO;
}

static void take_markers(struct sh__buffer *buffer, bool (*which)(const struct sh__entry *),
                         struct sh__markers *released)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < buffer->length; i++) {
        struct sh__entry *entry = entry_at(buffer, i);
        if (which(entry))
            sh__markers_push(released, entry->u.marker);
        else
            *entry_at(buffer, kept++) = *entry;
    }
    buffer->length = kept;
}

void sh__buffer_take_markers(struct sh__buffer *buffer, struct sh__markers *released)
{
    take_markers(buffer, is_marker, released);
}

void sh__buffer_take_infos(struct sh__buffer *buffer, struct sh__markers *released)
{
    take_markers(buffer, is_info, released);
}

void sh__buffer_fini(struct sh__buffer *buffer)
{
    struct sh__markers released = {0};
    sh_marker *marker;
    for (uint32_t i = 0; i < buffer->length; i++)
        if (is_returned(entry_at(buffer, i)))
            entry_at(buffer, i)->u.delivery = 0;
    sh__buffer_clear(buffer, &released);
    while ((marker = sh__markers_pop(&released)) != NULL)
        sh__marker_free(marker);
    sh_free(buffer->ring);
    sh_free(buffer->taken);
    sh__buffer_init(buffer, buffer->size, buffer->keep);
}

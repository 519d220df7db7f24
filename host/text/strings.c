/* SPDX-License-Identifier: MIT */
#include "text/strings.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

static size_t spans_size(uint32_t n)
{
    return n * sizeof(sh_span);
}

static sh_strings *block_new(uint32_t n, size_t n_bytes)
{
    size_t size = sizeof(sh_strings) + spans_size(n) + n_bytes;
    sh_strings *strings = sh_malloc(size);
    if (!strings)
        return NULL;
    atomic_init(&strings->refs, 1);
    strings->n = n;
    strings->owner = NULL;
    strings->bytes = (const char *)(strings->spans + n);
    strings->own = 0;
    strings->held = size;
    return strings;
}

sh_strings *sh_strings_new(uint32_t n, size_t n_bytes, sh_span **spans, char **bytes)
{
    sh_strings *strings = n_bytes <= SH_STRINGS_MAX ? block_new(n, n_bytes) : NULL;
    if (!strings)
        return NULL;
    *spans = strings->spans;
    *bytes = (char *)(strings->spans + n);
    return strings;
}

void sh_strings_seal(sh_strings *strings)
{
    strings->own = sh__spans_sum(strings->spans, strings->n);
}

/* Copies strings to places[0 .. n - 1] and bytes, where the first byte has the place `at`. */
static uint32_t copy_strings(sh_span *places, char *bytes, uint32_t at,
                             sh_strings_view from)
{
    for (uint32_t i = 0; i < from.n; i++) {
        uint32_t len = from.spans[i].len;
        memcpy(bytes + at, from.bytes + from.spans[i].start, len);
        places[i] = (sh_span){at, len};
        at += len;
    }
    return at;
}

sh_strings *sh_strings_copy(const char *bytes, const sh_span *spans, uint32_t n)
{
    sh_span *places;
    char *room;
    uint64_t sum = sh__spans_sum(spans, n);
    sh_strings *strings = sh_strings_new(n, sum, &places, &room);
    if (!strings)
        return NULL;
    copy_strings(places, room, 0, (sh_strings_view){bytes, spans, n});
    strings->own = sum;
    return strings;
}

/* A block of n places in the bytes of another one. */
static sh_strings *derive(sh_strings *of, uint32_t n)
{
    sh_strings *owner = of->owner ? of->owner : of;
    sh_strings *strings = block_new(n, 0);
    if (!strings)
        return NULL;
    strings->owner = sh_strings_ref(owner);
    strings->bytes = owner->bytes;
    strings->held += owner->held;
    return strings;
}

sh_strings *sh_strings_derive(sh_strings *of, const sh_span *spans, uint32_t n)
{
    sh_strings *strings = derive(of, n);
    if (!strings)
        return NULL;
    memcpy(strings->spans, spans, spans_size(n));
    sh_strings_seal(strings);
    return strings;
}

sh_strings *sh_strings_ref(sh_strings *strings)
{
    atomic_fetch_add_explicit(&strings->refs, 1, memory_order_relaxed);
    return strings;
}

void sh_strings_unref(sh_strings *strings)
{
    if (!strings || atomic_fetch_sub_explicit(&strings->refs, 1, memory_order_acq_rel) != 1)
        return;
    sh_strings_unref(strings->owner);
    sh_free(strings);
}

sh_strings_view sh_strings_see(const sh_strings *strings)
{
    return (sh_strings_view){strings->bytes, strings->spans, strings->n};
}

/* -- blocks of parts of others --------------------------------------------------------- */

static sh_strings_view see(sh_batch part)
{
    sh_strings_view view = {0};
    bool is_packed = sh_batch_see_strings(part, &view);
    assert(is_packed);
    (void)is_packed;
    return view;
}

sh_strings *sh__strings_join(const sh_batch *parts, size_t n_parts)
{
    bool is_one_owner = true;
    uint64_t n_bytes = 0;
    uint32_t n = 0, at = 0;
    for (size_t i = 0; i < n_parts; i++) {
        sh_strings_view view = see(parts[i]);
        n += view.n;
        n_bytes += sh__spans_sum(view.spans, view.n);
        is_one_owner = is_one_owner && view.bytes == see(parts[0]).bytes;
    }
    sh_span *spans;
    char *bytes = NULL;
    uint32_t first;
    sh_strings *strings = is_one_owner ? derive(sh_batch_strings(parts[0], &first), n)
                                       : sh_strings_new(n, n_bytes, &spans, &bytes);
    if (!strings)
        return NULL;
    strings->own = n_bytes;
    spans = strings->spans;
    for (size_t i = 0; i < n_parts; i++) {
        sh_strings_view view = see(parts[i]);
        if (is_one_owner)
            memcpy(spans, view.spans, spans_size(view.n));
        else
            at = copy_strings(spans, bytes, at, view);
        spans += view.n;
    }
    return strings;
}

static void drop_parts(sh_batch *parts, size_t n)
{
    for (size_t p = 0; p < n; p++) {
        sh_batch_unref(parts[p]);
        parts[p] = (sh_batch){0};
    }
}

/* The empty blocks of the parts, each for as many strings as `place` names it. */
static bool make_parts(sh_strings *block, const uint32_t *place, uint32_t n,
                       sh_strings **blocks, size_t n_parts)
{
    uint32_t *counts = sh__calloc(n_parts, sizeof *counts);
    bool is_made = counts != NULL;
    for (uint32_t i = 0; is_made && i < n; i++)
        counts[place[i]]++;
    for (size_t p = 0; is_made && p < n_parts; p++)
        if (counts[p] > 0) {
            blocks[p] = derive(block, counts[p]);
            is_made = blocks[p] != NULL;
        }
    for (size_t p = 0; is_made && p < n_parts; p++)
        if (blocks[p])
            blocks[p]->n = 0; /* counts those that are there */
    sh_free(counts);
    return is_made;
}

int sh__strings_deal(sh_batch in, const uint32_t *place, size_t n_parts, sh_batch *parts)
{
    sh_strings_view view = see(in);
    uint32_t first;
    sh_strings *block = sh_batch_strings(in, &first);
    sh_strings **blocks = sh__calloc(n_parts, sizeof *blocks);
    int status = SH_ENOMEM;
    memset(parts, 0, n_parts * sizeof *parts);
    if (blocks && make_parts(block, place, view.n, blocks, n_parts)) {
        for (uint32_t i = 0; i < view.n; i++) {
            sh_strings *part = blocks[place[i]];
            part->own += view.spans[i].len;
            part->spans[part->n++] = view.spans[i];
        }
        status = SH_OK;
    }
    for (size_t p = 0; blocks && p < n_parts; p++) {
        if (!blocks[p])
            continue;
        if (status == SH_OK)
            status = sh_batch_from_strings(blocks[p], 0, blocks[p]->n, &parts[p]);
        else
            sh_strings_unref(blocks[p]);
    }
    if (status != SH_OK)
        drop_parts(parts, n_parts);
    sh_free(blocks);
    return status;
}

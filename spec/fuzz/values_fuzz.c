/* SPDX-License-Identifier: MIT
 *
 * C values to another worker: whatever they are, they come out of the codec as they went in. */
#include <stdlib.h>
#include <string.h>

#include "events/values.h"
#include "events/values_codec.h"

enum { MOST_VALUES = 4096, MOST_DEPTH = 12 };

struct input {
    const uint8_t *at, *end;
    sh_value values[MOST_VALUES];
    size_t n;
};

static uint8_t next(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static uint64_t number(struct input *in)
{
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n = n << 8 | next(in);
    return n;
}

/* Room for n values; fewer when there is no more. */
static sh_value *take_room(struct input *in, size_t *n)
{
    if (*n > MOST_VALUES - in->n)
        *n = 0;
    sh_value *room = in->values + in->n;
    in->n += *n;
    return room;
}

static sh_value build(struct input *in, int depth)
{
    sh_value value = {.type = SH_NIL};
    uint8_t what = next(in) % (depth < MOST_DEPTH ? 7 : 5);
    size_t n = what == 4 ? next(in) : next(in) % 8;
    switch (what) {
    case 1:
        return (sh_value){.type = SH_BOOLEAN, .u.boolean = n % 2 != 0};
    case 2:
        return (sh_value){.type = SH_INTEGER, .u.integer = (int64_t)number(in)};
    case 3: {
        uint64_t bits = number(in);
        value.type = SH_NUMBER;
        memcpy(&value.u.number, &bits, sizeof bits);
        return value;
    }
    case 4:
        n = n < (size_t)(in->end - in->at) ? n : (size_t)(in->end - in->at);
        value = (sh_value){.type = SH_STRING, .u.string = {(const char *)in->at, n}};
        in->at += n;
        return value;
    case 5:
    case 6: {
        size_t items = what == 6 ? 2 * n : n;
        sh_value *room = take_room(in, &items);
        for (size_t i = 0; i < items; i++)
            room[i] = build(in, depth + 1);
        if (what == 5)
            return (sh_value){.type = SH_LIST, .u.list = {room, items}};
        return (sh_value){.type = SH_MAP, .u.map = {room, items / 2}};
    }
    default:
        return value;
    }
}

static void check_same(const sh_value *a, const sh_value *b, size_t n)
{
    for (size_t i = 0; i < n; i++, a++, b++) {
        bool same = a->type == b->type;
        if (same && a->type == SH_BOOLEAN)
            same = a->u.boolean == b->u.boolean;
        else if (same && (a->type == SH_INTEGER || a->type == SH_NUMBER))
            same = memcmp(&a->u, &b->u, sizeof(int64_t)) == 0;
        else if (same && a->type == SH_STRING)
            same = a->u.string.len == b->u.string.len &&
                   (a->u.string.len == 0 ||
                    memcmp(a->u.string.data, b->u.string.data, a->u.string.len) == 0);
        else if (same && a->type == SH_LIST && (same = a->u.list.n == b->u.list.n))
            check_same(a->u.list.items, b->u.list.items, a->u.list.n);
        else if (same && a->type == SH_MAP && (same = a->u.map.n == b->u.map.n))
            check_same(a->u.map.items, b->u.map.items, 2 * a->u.map.n);
        if (!same)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input in;
    in = (struct input){.at = data, .end = data + size};
    size_t n = 1 + next(&in) % 32;
    sh_value *events = take_room(&in, &n);
    for (size_t i = 0; i < n; i++)
        events[i] = build(&in, 0);
    sh_batch batch = {0};
    if (sh_batch_from_values(events, n, &batch) < 0)
        return 0;
    uint32_t first = next(&in) % n;
    sh_batch part = sh_batch_slice(batch, first, (uint32_t)n - first);
    sh_parcel parcel = {0};
    if (sh__values_encode(NULL, &part, SH_ENCODE_EVENTS, &parcel, NULL) < 0)
        abort();
    sh_list *list = sh__values_decode(NULL, &parcel, NULL);
    if (!list || list->n != part.n)
        abort();
    sh_batch copy = {.list = list, .n = list->n};
    check_same(events + first, sh_batch_values(copy), copy.n);
    sh_batch_unref(copy);
    sh_parcel_free(&parcel);
    sh_batch_unref(part);
    sh_batch_unref(batch);
    return 0;
}

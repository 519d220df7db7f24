/* SPDX-License-Identifier: MIT
 *
 * C values as bytes, for the way to another worker of the same process: a tag byte for each
 * value; integers, lengths and counts as base-128 numbers. A parcel begins with its
 * measures, so that decoding allocates once, and holds the boxes of its pointers, so that
 * they are freed with the parcel unless a decoded list shares them. */
#include "events/values_codec.h"

#include <string.h>

#include "events/values.h"

struct parcel {
    uint32_t n;
    struct sh__extent extent;
    struct sh__box *boxes[]; /* extent.boxes of them, then the bytes */
};

enum tag {
    TAG_NIL,
    TAG_FALSE,
    TAG_TRUE,
    TAG_INTEGER,
    TAG_NUMBER,
    TAG_STRING,
    TAG_POINTER,
    TAG_LIST,
    TAG_MAP,
};

/* Writes bytes, or only counts them while `at` is NULL. */
struct writer {
    unsigned char *at;
    size_t n;
};

static void put_bytes(struct writer *out, const void *bytes, size_t n)
{
    if (out->at && n > 0)
        memcpy(out->at + out->n, bytes, n);
    out->n += n;
}

static void put_byte(struct writer *out, unsigned byte)
{
    if (out->at)
        out->at[out->n] = (unsigned char)byte;
    out->n++;
}

static void put_number(struct writer *out, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        put_byte(out, (unsigned)(n & 0x7f) | 0x80);
    put_byte(out, (unsigned)n);
}

/* Small integers of either sign become small numbers. */
static uint64_t fold_sign(int64_t i)
{
    return i < 0 ? ~((uint64_t)i << 1) : (uint64_t)i << 1;
}

static int64_t unfold_sign(uint64_t n)
{
    return (int64_t)(n & 1 ? ~(n >> 1) : n >> 1);
}

static void put_values(struct writer *out, const sh_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const sh_value *value = &values[i];
        switch (value->type) {
        case SH_NIL:
            put_byte(out, TAG_NIL);
            break;
        case SH_BOOLEAN:
            put_byte(out, value->u.boolean ? TAG_TRUE : TAG_FALSE);
            break;
        case SH_INTEGER:
            put_byte(out, TAG_INTEGER);
            put_number(out, fold_sign(value->u.integer));
            break;
        case SH_NUMBER:
            put_byte(out, TAG_NUMBER);
            put_bytes(out, &value->u.number, sizeof value->u.number);
            break;
        case SH_STRING:
            put_byte(out, TAG_STRING);
            put_number(out, value->u.string.len);
            put_bytes(out, value->u.string.data, value->u.string.len);
            break;
        case SH_POINTER:
            put_byte(out, TAG_POINTER);
            put_bytes(out, &value->u.pointer, sizeof value->u.pointer);
            break;
        case SH_LIST:
            put_byte(out, TAG_LIST);
            put_number(out, value->u.list.n);
            put_values(out, value->u.list.items, value->u.list.n);
            break;
        case SH_MAP:
            put_byte(out, TAG_MAP);
            put_number(out, value->u.map.n);
            put_values(out, value->u.map.items, 2 * value->u.map.n);
            break;
        }
    }
}

static void free_parcel(void *data, size_t len)
{
    struct parcel *parcel = data;
    (void)len;
    for (size_t i = 0; i < parcel->extent.boxes; i++)
        sh__box_unref(parcel->boxes[i]);
    sh_free(parcel);
}

int sh__values_encode(sh_worker *worker, const sh_batch *batch, sh_encode what,
                      sh_parcel *out, sh_error **error)
{
    (void)worker;
    (void)what;
    const sh_value *values = sh_batch_values(*batch);
    struct sh__extent extent = {0};
    struct writer writer = {0};
    sh__values_measure(values, batch->n, &extent);
    put_values(&writer, values, batch->n);

    size_t head = sizeof(struct parcel) + extent.boxes * sizeof(struct sh__box *);
    struct parcel *parcel = sh_malloc(head + writer.n);
    if (!parcel) {
        if (error)
            *error = sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, "out_of_memory",
                                  "out of memory while encoding %u events", batch->n);
        return SH_ENOMEM;
    }
    parcel->n = batch->n;
    parcel->extent = extent;
    struct sh__box **boxes = sh__values_boxes(batch, extent.boxes);
    for (size_t i = 0; i < extent.boxes; i++)
        parcel->boxes[i] = sh__box_ref(boxes[i]);
    *out = (sh_parcel){.data = parcel, .len = head + writer.n, .free = free_parcel};
    writer = (struct writer){.at = (unsigned char *)parcel + head};
    put_values(&writer, values, batch->n);
    return SH_OK;
}

static uint64_t get_number(const unsigned char **at)
{
    uint64_t n = 0;
    unsigned shift = 0;
    for (; **at & 0x80; shift += 7)
        n |= (uint64_t)(*(*at)++ & 0x7f) << shift;
    return n | (uint64_t) * (*at)++ << shift;
}

static void get_bytes(const unsigned char **at, void *to, size_t n)
{
    if (n > 0)
        memcpy(to, *at, n);
    *at += n;
}

static void get_values(struct sh__values *list, sh_value *to, size_t n,
                       const unsigned char **at);

static void get_value(struct sh__values *list, sh_value *to, const unsigned char **at)
{
    unsigned char tag = *(*at)++;
    switch ((enum tag)tag) {
    case TAG_NIL:
        to->type = SH_NIL;
        break;
    case TAG_FALSE:
    case TAG_TRUE:
        to->type = SH_BOOLEAN;
        to->u.boolean = tag == TAG_TRUE;
        break;
    case TAG_INTEGER:
        to->type = SH_INTEGER;
        to->u.integer = unfold_sign(get_number(at));
        break;
    case TAG_NUMBER:
        to->type = SH_NUMBER;
        get_bytes(at, &to->u.number, sizeof to->u.number);
        break;
    case TAG_STRING: {
        size_t len = (size_t)get_number(at);
        char *string = sh__values_add_string(list, len);
        get_bytes(at, string, len);
        to->type = SH_STRING;
        to->u.string.data = string;
        to->u.string.len = len;
        break;
    }
    case TAG_POINTER:
        to->type = SH_POINTER;
        get_bytes(at, &to->u.pointer, sizeof to->u.pointer);
        break;
    case TAG_LIST:
        to->type = SH_LIST;
        to->u.list.n = (size_t)get_number(at);
        to->u.list.items = sh__values_add_items(list, to->u.list.n);
        get_values(list, to->u.list.items, to->u.list.n, at);
        break;
    case TAG_MAP:
        to->type = SH_MAP;
        to->u.map.n = (size_t)get_number(at);
        to->u.map.items = sh__values_add_items(list, 2 * to->u.map.n);
        get_values(list, to->u.map.items, 2 * to->u.map.n, at);
        break;
    }
}

static void get_values(struct sh__values *list, sh_value *to, size_t n,
                       const unsigned char **at)
{
    for (size_t i = 0; i < n; i++)
        get_value(list, &to[i], at);
}

sh_list *sh__values_decode(sh_worker *worker, const sh_parcel *parcel, sh_error **error)
{
    (void)worker;
    const struct parcel *head = parcel->data;
    struct sh__values *list = sh__values_new(head->n, &head->extent);
    if (!list) {
        if (error)
            *error = sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, "out_of_memory",
                                  "out of memory while decoding %u events", head->n);
        return NULL;
    }
    for (size_t i = 0; i < head->extent.boxes; i++)
        list->boxes[i] = sh__box_ref(head->boxes[i]);
    const unsigned char *at = (const unsigned char *)(head->boxes + head->extent.boxes);
    get_values(list, list->items, head->n, &at);
    return &list->head;
}

/* SPDX-License-Identifier: MIT */
#include "events/values.h"

#include <string.h>

#include "events/values_codec.h"
#include "events/values_letters.h"

struct sh__box *sh__box_ref(struct sh__box *box)
{
    atomic_fetch_add_explicit(&box->refs, 1, memory_order_relaxed);
    return box;
}

void sh__box_unref(struct sh__box *box)
{
    if (atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) > 1)
        return;
    box->free(box->data);
    sh_free(box);
}

static bool measure(const sh_value *values, size_t n, unsigned depth,
                    struct sh__extent *extent)
{
    if (depth > SH_VALUE_DEPTH)
        return false;
    extent->items += n;
    for (size_t i = 0; i < n; i++) {
        const sh_value *value = &values[i];
        bool fits = true;
        if (value->type == SH_STRING)
            extent->bytes += value->u.string.len + 1;
        else if (value->type == SH_POINTER)
            extent->boxes += value->u.pointer.free != NULL;
        else if (value->type == SH_LIST)
            fits = measure(value->u.list.items, value->u.list.n, depth + 1, extent);
        else if (value->type == SH_MAP)
            fits = measure(value->u.map.items, 2 * value->u.map.n, depth + 1, extent);
        if (!fits)
            return false;
    }
    return true;
}

bool sh__values_measure(const sh_value *values, size_t n, struct sh__extent *extent)
{
    return measure(values, n, 1, extent);
}

struct sh__values *sh__values_new(uint32_t n, const struct sh__extent *extent)
{
    struct sh__values *list =
        sh_malloc(sizeof *list + extent->items * sizeof(sh_value) +
                  extent->boxes * sizeof(struct sh__box *) + extent->bytes);
    if (!list)
        return NULL;
    list->head = (sh_list){.ops = &sh_values_ops, .n = n, .refs = 1};
    list->n_boxes = extent->boxes;
    list->boxes = (struct sh__box **)(list->items + extent->items);
    list->next_item = list->items + n;
    list->next_byte = (char *)(list->boxes + extent->boxes);
    return list;
}

sh_value *sh__values_add_items(struct sh__values *list, size_t n)
{
    sh_value *items = list->next_item;
    list->next_item += n;
    return items;
}

char *sh__values_add_string(struct sh__values *list, size_t len)
{
    char *string = list->next_byte;
    list->next_byte += len + 1;
    string[len] = '\0';
    return string;
}

void sh__values_copy(struct sh__values *list, sh_value *to, const sh_value *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        if (from[i].type == SH_STRING) {
            char *string = sh__values_add_string(list, from[i].u.string.len);
            if (from[i].u.string.len > 0)
                memcpy(string, from[i].u.string.data, from[i].u.string.len);
            to[i].u.string.data = string;
        } else if (from[i].type == SH_LIST) {
            to[i].u.list.items = sh__values_add_items(list, from[i].u.list.n);
            sh__values_copy(list, to[i].u.list.items, from[i].u.list.items,
                            from[i].u.list.n);
        } else if (from[i].type == SH_MAP) {
            size_t n_items = 2 * from[i].u.map.n;
            to[i].u.map.items = sh__values_add_items(list, n_items);
            sh__values_copy(list, to[i].u.map.items, from[i].u.map.items, n_items);
        }
    }
}

/* Walks all pointers with a destructor: moves each to the box at *boxes and advances *boxes,
 * or calls its destructor if there are no boxes. */
static void take_pointers(const sh_value *values, size_t n, struct sh__box ***boxes)
{
    for (size_t i = 0; i < n; i++) {
        const sh_value *value = &values[i];
        if (value->type == SH_LIST) {
            take_pointers(value->u.list.items, value->u.list.n, boxes);
        } else if (value->type == SH_MAP) {
            take_pointers(value->u.map.items, 2 * value->u.map.n, boxes);
        } else if (value->type == SH_POINTER && value->u.pointer.free) {
            if (!boxes) {
                value->u.pointer.free(value->u.pointer.data);
                continue;
            }
            struct sh__box *box = *(*boxes)++;
            box->data = value->u.pointer.data;
            box->free = value->u.pointer.free;
        }
    }
}

static bool make_boxes(struct sh__values *list)
{
    for (size_t i = 0; i < list->n_boxes; i++) {
        list->boxes[i] = sh_malloc(sizeof(struct sh__box));
        if (!list->boxes[i]) {
            while (i > 0)
                sh_free(list->boxes[--i]);
            return false;
        }
        atomic_init(&list->boxes[i]->refs, 1);
    }
    return true;
}

int sh_batch_from_values(const sh_value *values, size_t n, sh_batch *out)
{
    struct sh__extent extent = {0};
    *out = (sh_batch){0};
    if (n == 0)
        return SH_OK;
    if (n > UINT32_MAX || !sh__values_measure(values, n, &extent))
        return SH_EINVAL;

    struct sh__values *list = sh__values_new((uint32_t)n, &extent);
    if (!list || !make_boxes(list)) {
        sh_free(list);
        take_pointers(values, n, NULL);
        return SH_ENOMEM;
    }
    struct sh__box **boxes = list->boxes;
    sh__values_copy(list, list->items, values, n);
    if (extent.boxes > 0)
        take_pointers(values, n, &boxes);
    *out = (sh_batch){&list->head, 0, (uint32_t)n};
    return SH_OK;
}

const sh_value *sh_batch_values(sh_batch batch)
{
    if (!batch.list || batch.list->ops != &sh_values_ops)
        return NULL;
    return ((struct sh__values *)batch.list)->items + batch.first;
}

struct sh__box **sh__values_boxes(const sh_batch *batch, size_t n)
{
    struct sh__values *list = (struct sh__values *)batch->list;
    struct sh__extent before = {0};
    if (n > 0)
        sh__values_measure(list->items, batch->first, &before);
    return list->boxes + before.boxes;
}

static sh_list *values_concat(sh_worker *worker, const sh_batch *parts, size_t n_parts)
{
    (void)worker;
    struct sh__extent extent = {0};
    uint32_t n = 0;
    for (size_t i = 0; i < n_parts; i++) {
        sh__values_measure(sh_batch_values(parts[i]), parts[i].n, &extent);
        n += parts[i].n;
    }
    struct sh__values *list = sh__values_new(n, &extent);
    if (!list)
        return NULL;

    sh_value *to = list->items;
    struct sh__box **boxes = list->boxes;
    for (size_t i = 0; i < n_parts; i++) {
        const sh_value *from = sh_batch_values(parts[i]);
        struct sh__extent part = {0};
        sh__values_measure(from, extent.boxes > 0 ? parts[i].n : 0, &part);
        struct sh__box **held = sh__values_boxes(&parts[i], part.boxes);
        for (size_t b = 0; b < part.boxes; b++)
            *boxes++ = sh__box_ref(held[b]);
        sh__values_copy(list, to, from, parts[i].n);
        to += parts[i].n;
    }
    return &list->head;
}

static void values_free(sh_list *head)
{
    struct sh__values *list = (struct sh__values *)head;
    for (size_t i = 0; i < list->n_boxes; i++)
        sh__box_unref(list->boxes[i]);
    sh_free(list);
}

const sh_list_ops sh_values_ops = {
    .name = "values",
    .free = values_free,
    .concat = values_concat,
    .encode = sh__values_encode,
    .decode = sh__values_decode,
    .letters = sh__values_letters,
};

/* SPDX-License-Identifier: MIT
 *
 * Packed strings as events: a list belongs to one worker, and has the whole of a block or a range
 * of it. To another worker only the block goes, where it gets a list of its own. */
#include <assert.h>

#include "text/strings.h"

struct strings_list {
    sh_list head;
    uint32_t first; /* of the block */
    sh_strings *block;
};

/* What waits may keep this many times its own bytes alive, and some more if that is little. */
enum { MOST_HELD = 4, LITTLE_HELD = 512 };

static struct strings_list *check_list(const sh_list *list)
{
    return list && list->ops == &sh_strings_ops ? (struct strings_list *)list : NULL;
}

static struct strings_list *list_new(sh_strings *block, uint32_t first, uint32_t n)
{
    struct strings_list *list = sh_malloc(sizeof *list);
    if (list)
        *list = (struct strings_list){{&sh_strings_ops, n, 1}, first, block};
    else
        sh_strings_unref(block);
    return list;
}

int sh_batch_from_strings(sh_strings *strings, uint32_t first, uint32_t n, sh_batch *out)
{
    *out = (sh_batch){0};
    if (n == 0) {
        sh_strings_unref(strings);
        return SH_OK;
    }
    assert(first <= strings->n && n <= strings->n - first);
    struct strings_list *list = list_new(strings, first, n);
    if (!list)
        return SH_ENOMEM;
    *out = (sh_batch){&list->head, 0, n};
    return SH_OK;
}

sh_strings *sh_batch_strings(sh_batch batch, uint32_t *first)
{
    const struct strings_list *list = check_list(batch.list);
    *first = list ? list->first + batch.first : 0;
    return list ? list->block : NULL;
}

bool sh_batch_see_strings(sh_batch batch, sh_strings_view *out)
{
    uint32_t first;
    const sh_strings *block = sh_batch_strings(batch, &first);
    *out = block ? (sh_strings_view){block->bytes, block->spans + first, batch.n}
                 : (sh_strings_view){0};
    return block != NULL;
}

/* -- the functions of a list ----------------------------------------------------------- */

static void list_free(sh_list *head)
{
    struct strings_list *list = (struct strings_list *)head;
    sh_strings_unref(list->block);
    sh_free(list);
}

static sh_list *list_concat(sh_worker *worker, const sh_batch *parts, size_t n_parts)
{
    (void)worker;
    sh_strings *block = sh__strings_join(parts, n_parts);
    struct strings_list *list = block ? list_new(block, 0, block->n) : NULL;
    return list ? &list->head : NULL;
}

static uint64_t own_bytes(const sh_strings *block, sh_strings_view view)
{
    return view.n == block->n ? block->own : sh__spans_sum(view.spans, view.n);
}

static void list_compact(sh_batch *batch)
{
    sh_strings_view view;
    uint32_t first;
    const sh_strings *block = sh_batch_strings(*batch, &first);
    sh_batch_see_strings(*batch, &view);
    if (view.n == block->n && !block->owner)
        return;
    uint64_t own = own_bytes(block, view) + view.n * sizeof *view.spans + sizeof *block;
    if (block->held <= MOST_HELD * own || block->held <= LITTLE_HELD)
        return;
    sh_strings *copy = sh_strings_copy(view.bytes, view.spans, view.n);
    sh_batch copied;
    if (!copy || sh_batch_from_strings(copy, 0, view.n, &copied) < 0)
        return;
    sh_batch_unref(*batch);
    *batch = copied;
}

/* A list as it goes to another worker. */
static void parcel_free(void *data, size_t len)
{
    struct strings_list *parcel = data;
    (void)len;
    sh_strings_unref(parcel->block);
    sh_free(parcel);
}

static int list_encode(sh_worker *worker, const sh_batch *batch, sh_encode what,
                       sh_parcel *out, sh_error **error)
{
    (void)worker;
    (void)what;
    (void)error;
    uint32_t first;
    sh_strings *block = sh_batch_strings(*batch, &first);
    struct strings_list *parcel = list_new(sh_strings_ref(block), first, batch->n);
    if (!parcel)
        return SH_ENOMEM;
    sh_strings_view view;
    sh_batch_see_strings(*batch, &view);
    *out = (sh_parcel){.data = parcel,
                       .len = own_bytes(block, view) + view.n * sizeof *view.spans,
                       .free = parcel_free};
    return SH_OK;
}

static sh_list *list_decode(sh_worker *worker, const sh_parcel *parcel, sh_error **error)
{
    (void)worker;
    (void)error;
    const struct strings_list *from = parcel->data;
    struct strings_list *list =
        list_new(sh_strings_ref(from->block), from->first, from->head.n);
    return list ? &list->head : NULL;
}

/* Dead letters are records; they are made of C values. */
static sh_list *list_letters(sh_worker *worker, const sh_batch *events,
                             const sh_error *error, const char *stage, uint32_t deliveries)
{
    sh_strings_view view;
    sh_batch_see_strings(*events, &view);
    sh_value *values = sh_malloc(view.n * sizeof *values);
    sh_batch copies = {0};
    if (!values)
        return NULL;
    for (uint32_t i = 0; i < view.n; i++)
        values[i] =
            (sh_value){.type = SH_STRING,
                       .u.string = {view.bytes + view.spans[i].start, view.spans[i].len}};
    int status = sh_batch_from_values(values, view.n, &copies);
    sh_free(values);
    if (status < 0)
        return NULL;
    sh_list *letters = sh_values_ops.letters(worker, &copies, error, stage, deliveries);
    sh_batch_unref(copies);
    return letters;
}

const sh_list_ops sh_strings_ops = {
    .name = "packed strings",
    .free = list_free,
    .concat = list_concat,
    .compact = list_compact,
    .encode = list_encode,
    .decode = list_decode,
    .letters = list_letters,
};

/* SPDX-License-Identifier: MIT */
#include "events/gather.h"

#include <assert.h>
#include <string.h>

#include "events/batch.h"

void sh__gather_init(struct sh__gather *gather, int64_t size)
{
    *gather = (struct sh__gather){.size = size};
}

void sh__gather_fini(struct sh__gather *gather)
{
    for (uint32_t i = 0; i < gather->n_parts; i++)
        sh__batch_unref(gather->parts[i]);
    sh_free(gather->parts);
    sh__gather_init(gather, gather->size);
}

int sh__gather_add(struct sh__gather *gather, sh_batch batch)
{
    if (gather->n_parts == gather->capacity) {
        uint32_t capacity = gather->capacity ? 2 * gather->capacity : 8;
        sh_batch *parts = sh_realloc(gather->parts, capacity * sizeof *parts);
        if (!parts)
            return SH_ENOMEM;
        gather->parts = parts;
        gather->capacity = capacity;
    }
    sh__batch_compact(&batch);
    gather->parts[gather->n_parts++] = batch;
    gather->n += batch.n;
    return SH_OK;
}

int64_t sh__gather_whole(const struct sh__gather *gather)
{
    return gather->n - gather->n % gather->size;
}

static void drop_parts(struct sh__gather *gather, uint32_t n)
{
    gather->n_parts -= n;
    memmove(gather->parts, gather->parts + n, gather->n_parts * sizeof *gather->parts);
}

int sh__gather_take(struct sh__gather *gather, sh_worker *worker, int64_t n, sh_batch *out)
{
    assert(n > 0 && n <= gather->n);
    uint32_t k = 0, joined = 0;
    int64_t sum = 0;
    while (sum < n)
        sum += gather->parts[k++].n;
    uint32_t over = (uint32_t)(sum - n); /* events of the last part that stay */
    sh_batch *last = &gather->parts[k - 1];
    sh_batch tail = over > 0 ? sh_batch_slice(*last, last->n - over, over) : (sh_batch){0};
    last->n -= over;
    int status = sh__batch_join(worker, gather->parts, k, out, &joined);
    if (status == SH_OK)
        gather->n -= out->n;
    if (status == SH_OK && joined == k && over > 0) {
        *last = tail;
        drop_parts(gather, k - 1);
        return SH_OK;
    }
    if (joined < k || status < 0)
        last->n += over;
    sh__batch_unref(tail);
    if (status == SH_OK)
        drop_parts(gather, joined);
    return status;
}

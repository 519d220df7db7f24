/* SPDX-License-Identifier: MIT */
#include "events/batch.h"

#include <assert.h>

sh_batch sh_batch_ref(sh_batch batch)
{
    return sh__batch_ref(batch);
}

void sh_batch_unref(sh_batch batch)
{
    sh__batch_unref(batch);
}

sh_batch sh_batch_slice(sh_batch batch, uint32_t first, uint32_t n)
{
    assert(first <= batch.n && n <= batch.n - first);
    if (n == 0)
        return (sh_batch){0};
    return sh__batch_ref((sh_batch){batch.list, batch.first + first, n});
}

/* The number of leading parts that can become one list, and whether they already are one range
 * of one list. */
static uint32_t count_joinable(const sh_batch *parts, uint32_t n_parts, uint32_t *n_events,
                               bool *is_range)
{
    uint32_t n = 1;
    *n_events = parts[0].n;
    *is_range = true;
    for (; n < n_parts; n++) {
        const sh_batch *last = &parts[n - 1], *part = &parts[n];
        if (part->list->ops != last->list->ops || part->n > UINT32_MAX - *n_events)
            break;
        if (part->list != last->list || part->first != last->first + last->n)
            *is_range = false;
        *n_events += part->n;
    }
    return n;
}

int sh__batch_join(sh_worker *worker, const sh_batch *parts, uint32_t n_parts,
                   sh_batch *out, uint32_t *joined)
{
    *out = (sh_batch){0};
    *joined = n_parts;
    if (n_parts == 0)
        return SH_OK;

    bool is_range;
    uint32_t n_events;
    uint32_t n = count_joinable(parts, n_parts, &n_events, &is_range);
    *joined = n;
    if (is_range) {
        *out = (sh_batch){parts[0].list, parts[0].first, n_events};
        for (uint32_t i = 1; i < n; i++)
            sh__batch_unref(parts[i]);
        return SH_OK;
    }
    sh_list *list = parts[0].list->ops->concat(worker, parts, n);
    if (!list) {
        *joined = 0;
        return SH_ENOMEM;
    }
    assert(list->n == n_events);
    for (uint32_t i = 0; i < n; i++)
        sh__batch_unref(parts[i]);
    *out = (sh_batch){list, 0, n_events};
    return SH_OK;
}

void sh_parcel_free(const sh_parcel *parcel)
{
    if (parcel->free)
        parcel->free(parcel->data, parcel->len);
    else
        sh_free(parcel->data);
}

/* SPDX-License-Identifier: MIT
 *
 * The buffer: any sequence of stores, takes, returns and clears keeps the order of events, and
 * counts what it drops. */
#include <stdlib.h>

#include "events/buffer.h"

enum { MOST_EVENTS = 64 };

struct run {
    struct sh__buffer buffer;
    int64_t next; /* the number of the next new event */
    int64_t held; /* events in it, by our count */
    int64_t last; /* the newest event taken */
};

static sh_batch numbers(int64_t first, uint32_t n)
{
    sh_value values[MOST_EVENTS];
    sh_batch batch = {0};
    for (uint32_t i = 0; i < n; i++)
        values[i] = (sh_value){.type = SH_INTEGER, .u.integer = first + i};
    if (sh_batch_from_values(values, n, &batch) < 0)
        abort();
    return batch;
}

static void drop_markers(struct sh__markers *markers)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(markers)))
        sh__marker_free(marker);
}

static void store(struct run *run, uint32_t n)
{
    struct sh__markers released = {0};
    uint64_t discarded = 0;
    if (sh__buffer_store(&run->buffer, numbers(run->next, n), &released, &discarded) < 0)
        abort();
    run->next += n;
    run->held += n - (int64_t)discarded;
    drop_markers(&released);
}

static void mark(struct run *run)
{
    sh_marker *marker = sh__marker_new(SH__MARKER_NOTIFICATION, numbers(0, 1));
    if (!marker)
        abort();
    if (sh__buffer_mark(&run->buffer, marker) < 0)
        sh__marker_free(marker);
}

/* Takes, and may put the last part back. */
static void take(struct run *run, int64_t n, bool puts_back)
{
    sh_batch *parts;
    uint32_t n_parts;
    struct sh__markers released = {0};
    int64_t taken = sh__buffer_take(&run->buffer, n, &parts, &n_parts, &released);
    int64_t seen = 0;
    run->held -= taken;
    for (uint32_t i = 0; i < n_parts; i++) {
        const sh_value *values = sh_batch_values(parts[i]);
        for (uint32_t k = 0; k < parts[i].n; k++, seen++) {
            if (values[k].u.integer <= run->last)
                abort();
            run->last = values[k].u.integer;
        }
        if (puts_back && i + 1 == n_parts && parts[i].n > 0) {
            run->last = values[0].u.integer - 1;
            run->held += parts[i].n;
            sh__buffer_put_back_markers(&run->buffer, &released);
            if (sh__buffer_put_back(&run->buffer, parts[i]) < 0)
                abort();
        } else {
            sh_batch_unref(parts[i]);
        }
    }
    if (seen != taken || taken > n)
        abort();
    drop_markers(&released);
}

static void clear(struct run *run)
{
    struct sh__markers released = {0};
    run->held -= sh__buffer_clear(&run->buffer, &released);
    drop_markers(&released);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.next = 1};
    if (size < 2)
        return 0;
    sh__buffer_init(&run.buffer, data[0] < 200 ? data[0] : SH_BUFFER_INFINITY,
                    data[1] % 2 ? SH_KEEP_FIRST : SH_KEEP_LAST);
    for (size_t i = 2; i < size; i++) {
        uint32_t n = 1 + data[i] / 8;
        switch (data[i] % 8) {
        case 0:
        case 1:
        case 2:
            store(&run, n);
            break;
        case 3:
            mark(&run);
            break;
        case 4:
            take(&run, n, true);
            break;
        case 7:
            if (data[i] > 240)
                clear(&run);
            break;
        default:
            take(&run, n, false);
        }
        if (run.buffer.count != run.held)
            abort();
    }
    sh__buffer_fini(&run.buffer);
    return 0;
}

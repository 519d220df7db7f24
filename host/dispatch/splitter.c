/* SPDX-License-Identifier: MIT
 *
 * The default splitter: C values and packed strings are spread over the partitions by their hash
 * (hash.h). Of C values, consecutive events for the same partition are one run; runs are sorted by
 * partition by counting, then joined. */
#include "stagehost/dispatcher.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "events/batch.h"
#include "stagehost/hash.h"
#include "text/strings.h"

struct run {
    sh_batch batch; /* borrowed */
    uint32_t partition;
};

/* The scratch grows to what the largest batch needed. */
struct structural {
    sh_splitter base;
    struct run *runs;
    sh_batch *sorted;
    uint32_t capacity; /* of both */
    uint32_t *ends;    /* of each partition's runs in `sorted` */
    size_t n_ends;
    uint32_t *places; /* of packed strings: the partition of each */
    uint32_t n_places;
};

static bool reserve(struct structural *self, uint32_t n_runs, size_t n_partitions)
{
    if (n_runs > self->capacity) {
        sh_free(self->runs);
        sh_free(self->sorted);
        self->runs = sh_malloc(n_runs * sizeof *self->runs);
        self->sorted = sh_malloc(n_runs * sizeof *self->sorted);
        self->capacity = self->runs && self->sorted ? n_runs : 0;
        if (self->capacity == 0)
            return false;
    }
    if (n_partitions > self->n_ends) {
        uint32_t *ends = sh_realloc(self->ends, n_partitions * sizeof *ends);
        if (!ends)
            return false;
        self->ends = ends;
        self->n_ends = n_partitions;
    }
    return true;
}

/* Cuts `in` into runs; returns their number. */
static uint32_t find_runs(struct structural *self, sh_batch in, size_t n_parts)
{
    const sh_value *values = sh_batch_values(in);
    uint32_t n = 0;
    for (uint32_t i = 0; i < in.n; i++) {
        uint32_t partition = sh_hash_place(sh_hash_value(&values[i]), (uint32_t)n_parts);
        if (n > 0 && self->runs[n - 1].partition == partition) {
            self->runs[n - 1].batch.n++;
            continue;
        }
        self->runs[n++] = (struct run){{in.list, in.first + i, 1}, partition};
    }
    return n;
}

/* Sorts runs by partition, keeping their order in each; self->ends has the end of each
 * partition. */
static void sort_runs(struct structural *self, uint32_t n_runs, size_t n_parts)
{
    memset(self->ends, 0, n_parts * sizeof *self->ends);
    for (uint32_t i = 0; i < n_runs; i++)
        self->ends[self->runs[i].partition]++;
    uint32_t start = 0;
    for (size_t p = 0; p < n_parts; p++) {
        uint32_t n = self->ends[p];
        self->ends[p] = start;
        start += n;
    }
    for (uint32_t i = 0; i < n_runs; i++)
        self->sorted[self->ends[self->runs[i].partition]++] =
            sh__batch_ref(self->runs[i].batch);
}

static int refuse(sh_split_job *job, int code, const char *name, const char *message)
{
    job->error = sh_error_fmt(SH_REASON_RAISED, code, name, "%s", message);
    return code;
}

static int refuse_enomem(sh_split_job *job)
{
    return refuse(job, SH_ENOMEM, "out_of_memory", "out of memory while splitting events");
}

/* Makes the parts of the sorted runs; takes the references of these. */
static int join_runs(struct structural *self, uint32_t n_runs, const sh_split_job *job)
{
    uint32_t start = 0;
    for (size_t p = 0; p < job->n_parts; p++) {
        uint32_t joined;
        if (sh__batch_join(job->worker, self->sorted + start, self->ends[p] - start,
                           &job->parts[p], &joined) != SH_OK) {
            while (p > 0)
                sh__batch_unref(job->parts[--p]);
            while (start < n_runs)
                sh__batch_unref(self->sorted[start++]);
            return SH_ENOMEM;
        }
        assert(joined == self->ends[p] - start);
        start = self->ends[p];
    }
    return SH_OK;
}

static int split_strings(struct structural *self, sh_strings_view view, sh_split_job *job)
{
    sh_batch in = job->in;
    in.n = job->limit < in.n ? job->limit : in.n;
    if (in.n > self->n_places) {
        sh_free(self->places);
        self->places = sh_malloc(in.n * sizeof *self->places);
        self->n_places = self->places ? in.n : 0;
        if (!self->places)
            return refuse_enomem(job);
    }
    for (uint32_t i = 0; i < in.n; i++) {
        sh_span span = view.spans[i];
        self->places[i] = sh_hash_place(sh_hash_bytes(view.bytes + span.start, span.len),
                                        (uint32_t)job->n_parts);
    }
    if (sh__strings_deal(in, self->places, job->n_parts, job->parts) != SH_OK)
        return refuse_enomem(job);
    job->taken = in.n;
    return SH_OK;
}

static int structural_split(sh_splitter *base, sh_split_job *job)
{
    struct structural *self = (struct structural *)base;
    sh_batch in = job->in;
    sh_strings_view view;
    if (sh_batch_see_strings(in, &view))
        return split_strings(self, view, job);
    if (!sh_batch_values(in))
        return refuse(job, SH_EFAILED, "hash_required",
                      "events of this kind can't be hashed: the option hash is required");
    in.n = job->limit < in.n ? job->limit : in.n;
    if (!reserve(self, in.n, job->n_parts))
        return refuse_enomem(job);
    uint32_t n_runs = find_runs(self, in, job->n_parts);
    sort_runs(self, n_runs, job->n_parts);
    if (join_runs(self, n_runs, job) != SH_OK)
        return refuse_enomem(job);
    job->taken = in.n;
    return SH_OK;
}

static void structural_free(sh_splitter *base)
{
    struct structural *self = (struct structural *)base;
    sh_free(self->runs);
    sh_free(self->sorted);
    sh_free(self->ends);
    sh_free(self->places);
    sh_free(self);
}

sh_splitter *sh_splitter_default(void)
{
    struct structural *self = sh__calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->base = (sh_splitter){.split = structural_split, .free = structural_free};
    return &self->base;
}

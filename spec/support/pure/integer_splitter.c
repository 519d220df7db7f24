/* SPDX-License-Identifier: MIT */
#include "integer_splitter.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch_rig.h"
#include "events/batch.h"

struct splitter {
    sh_splitter base;
    integer_hash hash;
    int *n_freed;
};

static int splitter_split(sh_splitter *base, sh_split_job *job)
{
    struct splitter *self = (struct splitter *)base;
    sh_batch in = job->in;
    memset(job->parts, 0, job->n_parts * sizeof *job->parts);
    if (!self->hash) {
        job->error = sh_error_fmt(SH_REASON_RAISED, SH_EFAILED, "oops", "can't split");
        return SH_EFAILED;
    }
    for (uint32_t i = 0; i < in.n && job->taken - job->skipped < job->limit; i++) {
        int p = self->hash(rig_integer(in, i), job->n_parts);
        job->taken++;
        if (p < 0)
            job->skipped++;
        if (p == TO_BAD && ++job->bad == 1)
            job->error =
                sh_error_fmt(SH_REASON_RAISED, 0, "bad_event", "no such partition");
        if (p < 0)
            continue;
        sh_batch pair[2] = {job->parts[p], rig_integers(rig_integer(in, i), 1)};
        uint32_t from = pair[0].n > 0 ? 0 : 1, joined;
        sh__batch_join(NULL, pair + from, 2 - from, &job->parts[p], &joined);
    }
    return SH_OK;
}

static void splitter_free(sh_splitter *base)
{
    struct splitter *self = (struct splitter *)base;
    if (self->n_freed)
        ++*self->n_freed;
    free(self);
}

sh_splitter *integer_splitter(integer_hash hash, int *n_freed)
{
    struct splitter *self = malloc(sizeof *self);
    *self =
        (struct splitter){{.split = splitter_split, .free = splitter_free}, hash, n_freed};
    return &self->base;
}

int integer_modulo(int64_t event, size_t n)
{
    return (int)(event % (int64_t)n);
}

int integer_with_holes(int64_t event, size_t n)
{
    if (event % 11 == 0)
        return TO_BAD;
    return event % 7 == 0 ? TO_NONE : (int)(event / 2 % (int64_t)n);
}

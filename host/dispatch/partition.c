/* SPDX-License-Identifier: MIT
 *
 * Partition dispatcher: a splitter sends every event to one of a fixed set of partitions
 * (partition_queue.h), each with one consumer, or with a group of them.
 *
 * Events are taken as long as all demands together exceed the number queued above the limits of
 * the partitions, or the producer owes them anyway. Up to its limit a partition's queue does not
 * hold up the others: their demand is asked of the producer as if the queue were not there.
 * Above it, queued events count against the demand of the others, so a partition without demand
 * can't grow without end. As an option, events above the limit are discarded instead. */
#include "stagehost/dispatcher.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch/dispatch.h"
#include "dispatch/partition_queue.h"

/* The sums of one partition, or of all. */
struct sums {
    uint64_t demand;
    uint64_t queued;
    uint64_t charged; /* those of them above the limit of their partition */
};

struct partitions {
    struct sh__partition *all;
    struct sh__partition **by_name; /* sorted */
    sh_batch *parts;                /* scratch of dispatch */
    size_t n;
    bool has_groups;
    int64_t limit; /* of each queue */
    bool discards_abandoned;
    sh_splitter *splitter;
    struct sums sums; /* of all partitions */
};

static struct sums sums_of(const struct partitions *self,
                           const struct sh__partition *partition)
{
    int64_t queued = partition->queue.count;
    return (struct sums){.demand = (uint64_t)partition->demand,
                         .queued = (uint64_t)queued,
                         .charged =
                             queued > self->limit ? (uint64_t)(queued - self->limit) : 0};
}

/* A function that changes a partition takes it out of the sums before and puts it back after. */
static void take_out(struct partitions *self, const struct sh__partition *partition)
{
    struct sums own = sums_of(self, partition);
    self->sums.demand -= own.demand;
    self->sums.queued -= own.queued;
    self->sums.charged -= own.charged;
}

static void put_back(struct partitions *self, const struct sh__partition *partition)
{
    struct sums own = sums_of(self, partition);
    self->sums.demand += own.demand;
    self->sums.queued += own.queued;
    self->sums.charged += own.charged;
}

static int compare_names(const void *a, const void *b)
{
    const struct sh__partition *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static int compare_key(const void *key, const void *element)
{
    const struct sh__partition *const *partition = element;
    return strcmp(key, (*partition)->name);
}

static void partition_fini(void *state)
{
    struct partitions *self = state;
    for (size_t i = 0; self->all && i < self->n && self->all[i].name; i++)
        sh__partition_fini(&self->all[i]);
    sh_free(self->all);
    sh_free(self->by_name);
    sh_free(self->parts);
    if (self->splitter && self->splitter->free)
        self->splitter->free(self->splitter);
    *self = (struct partitions){0};
}

static int refuse_names(sh_error **error, const char *what, const char *name)
{
    *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "partitions_invalid",
                          "dispatcher option partitions: %s \"%s\"", what, name);
    return SH_EBADOPT;
}

static int make_all(struct partitions *self, const sh_partition_opts *opts,
                    sh_error **error)
{
    int64_t size = opts->discards ? opts->limit : SH_BUFFER_INFINITY;
    for (size_t i = 0; i < self->n; i++) {
        const char *name = opts->names[i] ? opts->names[i] : "";
        if (!*name || strcmp(name, "none") == 0)
            return refuse_names(error, "a partition can't be called", name);
        if (sh__partition_init(&self->all[i], name, size, opts->keep) != SH_OK)
            return sh__dispatch_enomem(error);
        self->by_name[i] = &self->all[i];
    }
    qsort(self->by_name, self->n, sizeof(struct sh__partition *), compare_names);
    for (size_t i = 1; i < self->n; i++)
        if (strcmp(self->by_name[i - 1]->name, self->by_name[i]->name) == 0)
            return refuse_names(error, "there is more than one", self->by_name[i]->name);
    return SH_OK;
}

static int check_opts(const sh_partition_opts *opts, sh_error **error)
{
    if (!opts || opts->n == 0 || !opts->names) {
        *error = sh_error_fmt(
            SH_REASON_CUSTOM, SH_EBADOPT, "partitions_required",
            "dispatcher option partitions is required: a count, or a list of names");
        return SH_EBADOPT;
    }
    if (opts->limit >= (opts->discards ? 1 : 0))
        return SH_OK;
    *error =
        sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "limit_invalid",
                     "dispatcher option limit must be 1 or more%s, got %lld",
                     opts->discards ? " to discard events" : "", (long long)opts->limit);
    return SH_EBADOPT;
}

static int partition_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct partitions *self = state;
    const sh_partition_opts *given = opts;
    (void)seed;
    self->splitter = given ? given->splitter : NULL;
    int status = check_opts(given, error);
    if (status == SH_OK) {
        self->n = given->n;
        self->has_groups = given->groups;
        self->limit = given->limit;
        self->discards_abandoned = given->discards_abandoned;
        self->all = sh__calloc(given->n, sizeof *self->all);
        self->by_name = sh__calloc(given->n, sizeof(struct sh__partition *));
        self->parts = sh__calloc(given->n, sizeof *self->parts);
        if (!self->splitter)
            self->splitter = sh_splitter_default();
        if (self->all && self->by_name && self->parts && self->splitter)
            status = make_all(self, given, error);
        else
            status = sh__dispatch_enomem(error);
    }
    if (status != SH_OK)
        partition_fini(self);
    return status;
}

/* The names for a message, cut when there are too many. */
static void list_names(const struct partitions *self, char *text, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < self->n && len < size; i++) {
        int more =
            snprintf(text + len, size - len, "%s%s", i > 0 ? ", " : "", self->all[i].name);
        len += more > 0 ? (size_t)more : 0;
    }
    if (len >= size)
        memcpy(text + size - sizeof("..."), "...", sizeof("..."));
}

static int refuse(const struct partitions *self, const char *word, const char *what,
                  const char *name, sh_error **error)
{
    char names[256];
    list_names(self, names, sizeof names);
    *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, word,
                          "subscription option partition%s%s %s; the partitions are: %s",
                          name ? " = " : "", name ? name : "", what, names);
    return SH_EFAILED;
}

static int partition_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                               sh_error **error)
{
    struct partitions *self = state;
    const char *name = opts->partition;
    if (!name)
        return refuse(self, "partition_required", "is required", NULL, error);
    struct sh__partition **found =
        bsearch(name, self->by_name, self->n, sizeof(struct sh__partition *), compare_key);
    if (!found)
        return refuse(self, "partition_unknown", "is unknown", name, error);
    if (!self->has_groups && !sh__link_is_empty(&(*found)->members))
        return refuse(self, "partition_taken", "already has a consumer", name, error);
    struct sh__member *member = sh__partition_join(*found, sub);
    if (!member)
        return sh__dispatch_enomem(error);
    *sh_subscription_dispatch_data(sub) = member;
    return SH_OK;
}

/* Called when the last member of a partition has left. */
static void desert(const struct partitions *self, struct sh__partition *partition,
                   sh_dispatch *out)
{
    int64_t n = self->discards_abandoned ? sh__partition_drop(partition, out) : 0;
    if (n > 0)
        out->drop(out, (uint64_t)n);
    if (self->discards_abandoned || !out->expects_another)
        sh__partition_abandon(partition, out);
}

static void partition_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct partitions *self = state;
    struct sh__member *member = *sh_subscription_dispatch_data(sub);
    struct sh__partition *partition = member->partition;
    take_out(self, partition);
    sh__partition_leave(member);
    if (sh__link_is_empty(&partition->members))
        desert(self, partition, out);
    put_back(self, partition);
    *sh_subscription_dispatch_data(sub) = NULL;
}

static void partition_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct partitions *self = state;
    struct sh__member *member = *sh_subscription_dispatch_data(sub);
    struct sh__partition *partition = member->partition;
    assert(n > 0);
    take_out(self, partition);
    sh__partition_ask(member, n, out);
    put_back(self, partition);
}

static void *partition_place(const void *state, sh_subscription *sub)
{
    const struct sh__member *member = *sh_subscription_dispatch_data(sub);
    (void)state;
    return member->partition;
}

static int partition_give_back(void *state, void *place, const sh_returned *parts,
                               uint32_t n, sh_dispatch *out)
{
    struct partitions *self = state;
    struct sh__partition *partition = place;
    take_out(self, partition);
    int status = sh__partition_give_back(partition, parts, n, out);
    put_back(self, partition);
    return status;
}

static int64_t partition_credit(const void *state)
{
    const struct partitions *self = state;
    const struct sums *sums = &self->sums;
    return sums->demand > sums->charged ? sh__demand_credit(sums->demand - sums->charged)
                                        : 0;
}

/* Takes `part`. */
static int deliver(struct partitions *self, struct sh__partition *partition, sh_batch part,
                   sh_dispatch *out)
{
    uint64_t discarded;
    if (self->discards_abandoned && partition->is_abandoned) {
        out->drop(out, part.n);
        sh__batch_unref(part);
        return SH_OK;
    }
    take_out(self, partition);
    int status = sh__partition_deliver(partition, part, out, &discarded);
    put_back(self, partition);
    if (discarded > 0)
        out->discard(out, discarded, self->limit);
    return status;
}

/* Takes what the splitter has refused. */
static void refuse_bad(const sh_split_job *job, sh_dispatch *out)
{
    if (job->refused.n > 0)
        out->refuse(out, job->refused, job->error);
    else
        out->skip(out, job->bad, job->error);
}

static int64_t partition_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                                  sh_error **error)
{
    struct partitions *self = state;
    int64_t limit = partition_credit(self);
    if (limit < out->owed)
        limit = out->owed;
    if (limit > batch.n)
        limit = batch.n;
    if (limit <= 0)
        return 0;

    sh_split_job job = {.worker = out->worker,
                        .in = batch,
                        .limit = (uint32_t)limit,
                        .n_parts = self->n,
                        .parts = self->parts};
    int status = self->splitter->split(self->splitter, &job);
    if (status != SH_OK) {
        *error = job.error;
        return status;
    }
    assert(job.taken <= batch.n && job.skipped <= job.taken && job.bad <= job.skipped);
    for (size_t i = 0; i < self->n; i++) {
        sh_batch part = self->parts[i];
        if (part.n == 0)
            continue;
        if (status == SH_OK)
            status = deliver(self, &self->all[i], part, out);
        else
            sh__batch_unref(part);
    }
    if (job.skipped > job.bad)
        out->skip(out, job.skipped - job.bad, NULL);
    if (job.bad > 0)
        refuse_bad(&job, out);
    if (status != SH_OK)
        return sh__dispatch_enomem(error);
    return job.taken;
}

static int partition_mark(void *state, sh_marker *marker, sh_dispatch *out)
{
    struct partitions *self = state;
    for (size_t i = 0; i < self->n; i++)
        if (sh__partition_reserve_mark(&self->all[i]) != SH_OK)
            return SH_ENOMEM;
    marker->pending = 0;
    for (size_t i = 0; i < self->n; i++)
        sh__partition_mark(&self->all[i], marker, out);
    if (marker->pending == 0)
        out->release(out, marker);
    return SH_OK;
}

static int64_t partition_held(const void *state, sh_held which)
{
    const struct partitions *self = state;
    if (which == SH_HELD_ALL)
        return (int64_t)self->sums.queued;
    int64_t n = 0;
    for (size_t i = 0; i < self->n; i++)
        if (!sh__link_is_empty(&self->all[i].members) ||
            (which == SH_HELD_EXPECTED && !self->all[i].is_abandoned))
            n += self->all[i].queue.count;
    return n;
}

static int64_t partition_clear(void *state, sh_dispatch *out)
{
    struct partitions *self = state;
    int64_t n = 0;
    for (size_t i = 0; i < self->n; i++) {
        take_out(self, &self->all[i]);
        n += sh__partition_drop(&self->all[i], out);
        put_back(self, &self->all[i]);
    }
    return n;
}

static const char *partition_of(const void *state, sh_subscription *sub)
{
    const struct sh__member *member = *sh_subscription_dispatch_data(sub);
    (void)state;
    return member->partition->name;
}

static const sh_dispatcher_queue_ops partition_queues = {
    .held = partition_held,
    .mark = partition_mark,
    .clear = partition_clear,
    .takes_owed = true,
    .partition_of = partition_of,
    .place = partition_place,
    .give_back = partition_give_back,
};

const sh_dispatcher_ops sh_dispatcher_partition = {
    .name = "partition",
    .size = sizeof(struct partitions),
    .init = partition_init,
    .fini = partition_fini,
    .subscribe = partition_subscribe,
    .cancel = partition_cancel,
    .ask = partition_ask,
    .credit = partition_credit,
    .dispatch = partition_dispatch,
    .reads = SH_READS_PARTITION,
    .queues = &partition_queues,
};

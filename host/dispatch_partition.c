/* SPDX-License-Identifier: MIT
 *
 * Partition dispatcher: a splitter sends every event to one of a fixed set of partitions,
 * each of which has at most one consumer. Events of a partition that its consumer has not
 * asked for stand in the partition's queue, so a partition has demand or a queue, never
 * both. The queue belongs to the partition: it waits there for the next consumer.
 *
 * Events are taken as long as all demands together exceed all queues together, or the
 * producer owes them anyway; a partition nobody asks for can thus hold up the others, but
 * can't grow without end. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "buffer.h"
#include "dispatch.h"

struct partition {
    char *name;
    sh_subscription *sub; /* NULL: free */
    bool had_subscriber;
    int64_t demand;
    struct sh__buffer queue;
};

struct partitions {
    struct partition *all;
    struct partition **by_name; /* sorted */
    sh_batch *parts;            /* scratch of dispatch */
    size_t n;
    sh_splitter *splitter;
    uint64_t demand; /* of all partitions */
    uint64_t queued; /* in all partitions */
};

static int compare_names(const void *a, const void *b)
{
    const struct partition *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static int compare_key(const void *key, const void *element)
{
    const struct partition *const *partition = element;
    return strcmp(key, (*partition)->name);
}

static void partition_fini(void *state)
{
    struct partitions *self = state;
    for (size_t i = 0; self->all && i < self->n; i++) {
        /* A marker may stand in several queues: the last of them frees it. */
        struct sh__markers released = {0};
        sh_marker *marker;
        sh__buffer_clear(&self->all[i].queue, &released);
        while ((marker = sh__markers_pop(&released)) != NULL)
            if (--marker->pending == 0)
                sh__marker_free(marker);
        sh__buffer_fini(&self->all[i].queue);
        sh_free(self->all[i].name);
    }
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

static int copy_names(struct partitions *self, const char *const *names, sh_error **error)
{
    for (size_t i = 0; i < self->n; i++) {
        struct partition *partition = &self->all[i];
        const char *name = names[i] ? names[i] : "";
        if (!*name || strcmp(name, "none") == 0)
            return refuse_names(error, "a partition can't be called", name);
        size_t size = strlen(name) + 1;
        partition->name = sh_malloc(size);
        if (!partition->name)
            return sh__dispatch_enomem(error);
        memcpy(partition->name, name, size);
        sh__buffer_init(&partition->queue, SH_BUFFER_INFINITY, SH_KEEP_LAST);
        self->by_name[i] = partition;
    }
    qsort(self->by_name, self->n, sizeof(struct partition *), compare_names);
    for (size_t i = 1; i < self->n; i++)
        if (strcmp(self->by_name[i - 1]->name, self->by_name[i]->name) == 0)
            return refuse_names(error, "there is more than one", self->by_name[i]->name);
    return SH_OK;
}

static int partition_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct partitions *self = state;
    const sh_partition_opts *given = opts;
    int status = SH_OK;
    (void)seed;
    self->splitter = given ? given->splitter : NULL;
    if (!given || given->n == 0 || !given->names) {
        *error = sh_error_fmt(
            SH_REASON_CUSTOM, SH_EBADOPT, "partitions_required",
            "dispatcher option partitions is required: a count, or a list of names");
        status = SH_EBADOPT;
    } else {
        self->n = given->n;
        self->all = sh__calloc(given->n, sizeof(*self->all));
        self->by_name = sh__calloc(given->n, sizeof(struct partition *));
        self->parts = sh__calloc(given->n, sizeof(*self->parts));
        if (!self->splitter)
            self->splitter = sh_splitter_default();
        if (self->all && self->by_name && self->parts && self->splitter)
            status = copy_names(self, given->names, error);
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
    list_names(self, names, sizeof(names));
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
    struct partition **found =
        bsearch(name, self->by_name, self->n, sizeof(struct partition *), compare_key);
    if (!found)
        return refuse(self, "partition_unknown", "is unknown", name, error);
    if ((*found)->sub)
        return refuse(self, "partition_taken", "already has a consumer", name, error);
    (*found)->sub = sub;
    (*found)->had_subscriber = true;
    *sh_subscription_dispatch_data(sub) = *found;
    return SH_OK;
}

static void partition_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct partitions *self = state;
    struct partition *partition = *sh_subscription_dispatch_data(sub);
    (void)out;
    self->demand -= (uint64_t)partition->demand;
    partition->demand = 0;
    partition->sub = NULL;
    *sh_subscription_dispatch_data(sub) = NULL;
}

/* The queue of a partition has let a marker pass. */
static void pass_marker(struct partition *partition, sh_marker *marker, sh_dispatch *out)
{
    if (marker->is_notification)
        out->notify(out, partition->sub, marker);
    if (--marker->pending == 0)
        out->release(out, marker);
}

/* Sends ranges as few messages as can be; takes them. */
static void send_parts(struct partition *partition, const sh_batch *parts, uint32_t n_parts,
                       sh_dispatch *out)
{
    while (n_parts > 0) {
        sh_batch message;
        uint32_t joined;
        if (sh__batch_join(out->worker, parts, n_parts, &message, &joined) != SH_OK) {
            message = parts[0];
            joined = 1;
        }
        out->send(out, partition->sub, message);
        parts += joined;
        n_parts -= joined;
    }
}

/* What stood behind the last event taken: notifications go on at once; infos wait for the
 * next ask if there are more events behind them, as in GenStage 1.3. */
static void pass_markers(struct partition *partition, struct sh__markers *released,
                         bool is_exhausted, sh_dispatch *out)
{
    struct sh__markers waiting = {0};
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL) {
        if (is_exhausted && partition->queue.count > 0 && !marker->is_notification)
            sh__markers_push(&waiting, marker);
        else
            pass_marker(partition, marker, out);
    }
    /* Their places in the queue have just become free: this can't fail. */
    if (waiting.head)
        sh__buffer_put_back_markers(&partition->queue, &waiting);
}

static void partition_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct partitions *self = state;
    struct partition *partition = *sh_subscription_dispatch_data(sub);
    assert(n > 0);
    while (n > 0 && partition->queue.count > 0) {
        struct sh__markers released = {0};
        sh_batch *parts;
        uint32_t n_parts;
        int64_t taken = sh__buffer_take(&partition->queue, n, &parts, &n_parts, &released);
        n -= taken;
        self->queued -= (uint64_t)taken;
        send_parts(partition, parts, n_parts, out);
        pass_markers(partition, &released, n == 0, out);
    }
    n = sh__demand_room(partition->demand, n);
    partition->demand += n;
    self->demand += (uint64_t)n;
}

static int64_t partition_credit(const void *state)
{
    const struct partitions *self = state;
    return self->demand > self->queued ? sh__demand_credit(self->demand - self->queued) : 0;
}

/* Sends what the consumer has asked for, queues the rest; takes `part`. */
static int deliver(struct partitions *self, struct partition *partition, sh_batch part,
                   sh_dispatch *out)
{
    struct sh__markers none = {0};
    uint64_t discarded;
    uint32_t n = part.n < partition->demand ? part.n : (uint32_t)partition->demand;
    if (n > 0) {
        partition->demand -= n;
        self->demand -= n;
        if (n == part.n) {
            out->send(out, partition->sub, part);
            return SH_OK;
        }
        out->send(out, partition->sub, sh__batch_part(part, 0, n));
        part.first += n;
        part.n -= n;
    }
    int status = sh__buffer_store(&partition->queue, part, &none, &discarded);
    if (status == SH_OK)
        self->queued += part.n;
    return status;
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

    uint32_t taken = 0, skipped = 0, bad = 0;
    sh_error *bad_error = NULL;
    int status =
        self->splitter->split(self->splitter, out->worker, batch, (uint32_t)limit,
                              self->parts, self->n, &taken, &skipped, &bad, &bad_error);
    if (status != SH_OK) {
        *error = bad_error;
        return status;
    }
    assert(taken <= batch.n && skipped <= taken && bad <= skipped);
    for (size_t i = 0; i < self->n; i++) {
        sh_batch part = self->parts[i];
        if (part.n == 0)
            continue;
        if (status == SH_OK)
            status = deliver(self, &self->all[i], part, out);
        else
            sh__batch_unref(part);
    }
    if (skipped > bad)
        out->skip(out, skipped - bad, NULL);
    if (bad > 0)
        out->skip(out, bad, bad_error);
    if (status != SH_OK)
        return sh__dispatch_enomem(error);
    return taken;
}

static int partition_mark(void *state, sh_marker *marker, sh_dispatch *out)
{
    struct partitions *self = state;
    for (size_t i = 0; i < self->n; i++)
        if (self->all[i].queue.count > 0 &&
            sh__buffer_reserve(&self->all[i].queue, 1) != SH_OK)
            return SH_ENOMEM;

    marker->pending = 0;
    for (size_t i = 0; i < self->n; i++) {
        struct partition *partition = &self->all[i];
        if (sh__buffer_mark(&partition->queue, marker) == SH_OK)
            marker->pending++;
        else if (partition->sub && marker->is_notification)
            out->notify(out, partition->sub, marker);
    }
    if (marker->pending == 0)
        out->release(out, marker);
    return SH_OK;
}

static int64_t partition_held(const void *state, sh_held which)
{
    const struct partitions *self = state;
    if (which == SH_HELD_ALL)
        return (int64_t)self->queued;
    int64_t n = 0;
    for (size_t i = 0; i < self->n; i++)
        if (self->all[i].sub || (which == SH_HELD_EXPECTED && !self->all[i].had_subscriber))
            n += self->all[i].queue.count;
    return n;
}

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
    .mark = partition_mark,
    .held = partition_held,
};

/* SPDX-License-Identifier: MIT
 *
 * Making stages: options are checked on the starter's worker, init runs on the stage's own. */
#include "life/start.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/random.h"
#include "consume/above.h"
#include "consume/dead_letter.h"
#include "consume/recovery.h"
#include "life/above.h"
#include "life/callback.h"
#include "life/stage_opts.h"
#include "produce/combine.h"
#include "produce/delivery.h"
#include "produce/paced.h"
#include "produce/producer.h"
#include "stage/agenda.h"
#include "stage/clock.h"
#include "stage/host_state.h"
#include "stage/links.h"
#include "stage/name_waiters.h"
#include "stage/registry.h"
#include "stage/request.h"
#include "stage/run_queue.h"

/* -- options --------------------------------------------------------------------------- */

static void drop_subscribe_to(const sh_stage_opts *opts)
{
    for (size_t i = 0; i < opts->n_subscribe_to; i++) {
        sh_error_unref(opts->subscribe_to[i].current_reason);
        sh_batch_unref(opts->subscribe_to[i].extra);
    }
}

static void drop_splitter(const sh_stage_opts *opts)
{
    const sh_partition_opts *partition = opts->dispatcher_opts;
    if (opts->dispatcher == &sh_dispatcher_partition && partition && partition->splitter &&
        partition->splitter->free)
        partition->splitter->free(partition->splitter);
}

/* Releases the options that were taken when a start is refused, before the dispatcher is made. */
static void drop_options(const sh_stage_opts *opts)
{
    drop_splitter(opts);
    if (opts->combine.combiner)
        opts->combine.combiner->free(opts->combine.combiner);
    drop_subscribe_to(opts);
}

static void free_subscribe_to(sh_stage *stage)
{
    for (size_t i = 0; i < stage->n_subscribe_to; i++)
        if (stage->subscribe_to[i])
            sh__subscribe_free(stage->subscribe_to[i]);
    sh_free(stage->subscribe_to);
    stage->subscribe_to = NULL;
    stage->n_subscribe_to = 0;
}

static int copy_subscribe_to(sh_stage *stage, const sh_stage_opts *opts)
{
    free_subscribe_to(stage);
    if (opts->n_subscribe_to == 0)
        return SH_OK;
    stage->subscribe_to = sh_malloc(opts->n_subscribe_to * sizeof *stage->subscribe_to);
    if (!stage->subscribe_to) {
        drop_subscribe_to(opts);
        return SH_ENOMEM;
    }
    for (size_t i = 0; i < opts->n_subscribe_to; i++) {
        stage->subscribe_to[i] = sh__subscribe_new(&opts->subscribe_to[i]);
        stage->n_subscribe_to++;
        if (!stage->subscribe_to[i])
            return SH_ENOMEM;
    }
    return SH_OK;
}

static int set_dispatcher(sh_stage *stage, const sh_stage_opts *opts, sh_error **error)
{
    struct sh__producer *out = stage->out;
    if (out->dispatcher) {
        out->dispatcher->fini(out->dispatcher_state);
        sh_free(out->dispatcher_state);
        out->dispatcher = NULL;
    }
    const sh_dispatcher_ops *ops =
        opts->dispatcher ? opts->dispatcher : &sh_dispatcher_demand;
    void *state = sh__calloc(1, ops->size);
    if (!state)
        return SH_ENOMEM;
    int status =
        ops->init(state, opts->dispatcher_opts, sh__random(&stage->worker->random), error);
    if (status < 0) {
        sh_free(state);
        return status;
    }
    out->dispatcher = ops;
    out->dispatcher_state = state;
    out->lane = ops == &sh_dispatcher_demand ? sh__demand_lane(state) : NULL;
    return SH_OK;
}

static int64_t buffer_size(const sh_stage_opts *opts)
{
    if (opts->buffer_size == SH_BUFFER_NONE)
        return 0;
    if (opts->buffer_size != SH_BUFFER_DEFAULT)
        return opts->buffer_size;
    bool may_drop = opts->kind == SH_PRODUCER && !opts->combine.combiner;
    return may_drop ? SH_BUFFER_DEFAULT_SIZE : SH_BUFFER_INFINITY;
}

static int set_producer_side(sh_stage *stage, const sh_stage_opts *opts, sh_error **error)
{
    if (!stage->out && !(stage->out = sh__producer_new()))
        return SH_ENOMEM;
    sh__dispatch_init(&stage->out->dispatch, stage);
    int status = set_dispatcher(stage, opts, error);
    if (status == SH_OK && opts->rate.events > 0)
        status = sh__paced_wrap(stage, &opts->rate);
    if (status < 0)
        return status;
    sh__buffer_init(&stage->out->buffer, buffer_size(opts), opts->buffer_keep);
    stage->out->discard_when_no_consumers = opts->discard_buffer_when_no_consumers;
    stage->out->is_accumulating = opts->demand == SH_DEMAND_ACCUMULATE;
    stage->out->polling_ms = opts->polling_interval_ms;
    return SH_OK;
}

/* Takes the combiner; the one before it, if any, is freed. */
static int set_combiner(sh_stage *stage, const sh_combine *opts)
{
    if (!opts->combiner && !stage->out)
        return SH_OK;
    if (!stage->out && !(stage->out = sh__producer_new())) {
        opts->combiner->free(opts->combiner);
        return SH_ENOMEM;
    }
    return sh__combine_configure(stage->out, opts);
}

static int configure(sh_stage *stage, const sh_stage_opts *opts, sh_error **error)
{
    int status = sh__stage_opts_check(stage->worker->host, opts, error);
    if (status < 0) {
        drop_options(opts);
        return status;
    }
    status = set_combiner(stage, &opts->combine);
    if (status < 0) {
        drop_subscribe_to(opts);
        return status;
    }
    status = copy_subscribe_to(stage, opts);
    if (status < 0)
        return status;
    status = sh__recovery_configure(stage, opts);
    if (status < 0)
        return status;
    stage->defaults = opts->defaults;
    stage->end_with_last = opts->end_with_last;
    stage->await_consumers = opts->await_consumers;
    if (opts->kind == SH_PRODUCER || opts->kind == SH_PRODUCER_CONSUMER)
        return set_producer_side(stage, opts, error);
    return SH_OK;
}

int sh_stage_configure(sh_stage *self, const sh_stage_opts *opts, sh_error **error)
{
    if (self->phase != SH__PHASE_STARTING || self->now.callback != SH__CALLBACK_INIT) {
        drop_options(opts);
        return SH_ESTATE;
    }
    sh_stage_opts full = *opts;
    full.kind = self->kind;
    full.ops = self->ops;
    return configure(self, &full, error);
}

/* -- start ----------------------------------------------------------------------------- */

static sh_worker *choose_worker(sh_worker *worker, int wish)
{
    sh_host *host = worker->host;
    if (wish == 0)
        return worker;
    if (wish > 0)
        return (unsigned)wish <= host->n_workers ? &host->workers[wish - 1] : NULL;
    sh_worker *best = worker;
    for (unsigned i = 0; i < host->n_workers; i++)
        if (atomic_load(&host->workers[i].n_stages) < atomic_load(&best->n_stages))
            best = &host->workers[i];
    return best;
}

static sh_stage *stage_new(sh_worker *worker, const sh_stage_opts *opts)
{
    sh_stage *stage = sh__calloc(1, sizeof *stage);
    if (!stage)
        return NULL;
    atomic_init(&stage->refs, 1);
    atomic_init(&stage->alive, true);
    stage->is_absent = true;
    stage->is_supervised = opts->supervised;
    stage->has_results = opts->has_results;
    stage->builds = opts->kind == SH_PROCESS;
    stage->kind = opts->kind;
    stage->ops = opts->ops;
    stage->worker = worker;
    stage->id = atomic_fetch_add(&worker->host->next_id, 1) + 1;
    if (opts->label)
        snprintf(stage->label, sizeof stage->label, "#%s", opts->label);
    else
        snprintf(stage->label, sizeof stage->label, "#%llu", (unsigned long long)stage->id);
    sh__link_init(&stage->link);
    sh__link_init(&stage->producers);
    sh__link_init(&stage->consumers);
    size_t len = opts->name ? strlen(opts->name) + 1 : 0;
    stage->state = sh__calloc(1, opts->ops->size);
    stage->name = len ? sh_malloc(len) : NULL;
    if (!stage->state || (len && !stage->name)) {
        sh_free(stage->state);
        sh_free(stage->name);
        sh_free(stage);
        return NULL;
    }
    if (len)
        memcpy(stage->name, opts->name, len);
    return stage;
}

/* Prepares the argument of init for the target worker. Takes arg. */
static int prepare_arg(sh_worker *worker, sh_stage *stage, const sh_stage_opts *opts,
                       sh_error **error)
{
    if (stage->worker == worker || !opts->ops->arg_encode) {
        stage->arg = opts->arg;
        return SH_OK;
    }
    stage->arg_parcel = sh__calloc(1, sizeof *stage->arg_parcel);
    if (!stage->arg_parcel) {
        stage->arg = opts->arg;
        return SH_ENOMEM;
    }
    int status =
        opts->ops->arg_encode(worker, opts->arg, &stage->arg_parcel->parcel, error);
    if (status < 0) {
        sh_free(stage->arg_parcel);
        stage->arg_parcel = NULL;
    }
    return status;
}

static void free_arg_parcel(sh_stage *stage)
{
    struct sh__crossing *box = stage->arg_parcel;
    if (!box)
        return;
    stage->arg_parcel = NULL;
    sh_parcel_free(&box->parcel);
    sh_free(box);
}

/* Frees a stage that could not be started. */
static void discard_stage(sh_stage *stage, bool named)
{
    if (named)
        sh__registry_remove(stage->worker->host, stage->name, stage);
    free_arg_parcel(stage);
    if (stage->ops->destroy)
        stage->ops->destroy(stage, stage->state, stage->arg);
    free_subscribe_to(stage);
    if (stage->out)
        sh__producer_free(stage->out);
    stage->out = NULL;
    sh__links_free(stage);
    sh_free(stage->state);
    stage->state = NULL;
    sh_stage_unref(stage);
}

static int already_started(sh_error **error, const char *name)
{
    if (error)
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EEXIST, "already_started",
                              "a stage named \"%s\" is already started", name);
    return SH_EEXIST;
}

/* Refuses a start. Takes opts->arg and the contents of subscribe_to. */
static int refuse_start(const sh_stage_opts *opts, int status)
{
    drop_options(opts);
    if (opts->ops && opts->ops->destroy)
        opts->ops->destroy(NULL, NULL, opts->arg);
    return status;
}

static void post_start(sh_worker *worker, sh_stage *stage, struct sh__message *message,
                       sh_from from)
{
    sh__host_stage_begins(worker->host, stage->kind);
    atomic_fetch_add(&stage->worker->n_stages, 1);
    if (from.stage)
        sh_stage_ref(from.stage);
    message->from = from;
    sh__send(worker, message, NULL);
    if (stage->name)
        sh__name_taken(worker, stage);
}

int sh_stage_start(sh_worker *worker, const sh_stage_opts *opts, sh_from from,
                   sh_stage **out, sh_error **error)
{
    sh_worker *target = choose_worker(worker, opts->worker);
    if (!target)
        return refuse_start(
            opts, sh__bad_option(error, "worker", "worker: %s", "there is no such worker"));
    int status = sh__stage_opts_check(worker->host, opts, error);
    if (status < 0)
        return refuse_start(opts, status);
    sh_stage *stage = stage_new(target, opts);
    if (!stage)
        return refuse_start(opts, SH_ENOMEM);
    bool named = false;
    status = prepare_arg(worker, stage, opts, error);
    if (status < 0) {
        drop_options(opts);
        goto failed;
    }
    status = configure(stage, opts, error);
    if (status == SH_OK && opts->link)
        status = sh__links_prepare(opts->link, stage);
    if (status < 0)
        goto failed;
    if (stage->name) {
        status = sh__registry_add(worker->host, stage->name, stage);
        named = status == SH_OK;
        if (status == SH_EEXIST)
            already_started(error, stage->name);
        if (status < 0)
            goto failed;
    }
    status = sh__host_ensure_thread(worker->host, target);
    struct sh__message *message =
        status < 0 ? NULL : sh__message_new(worker, SH__START, stage);
    if (!message) {
        status = SH_ENOMEM;
        goto failed;
    }
    if (out)
        *out = sh_stage_ref(stage);
    post_start(worker, stage, message, from);
    return SH_OK;
failed:
    if (opts->link)
        sh__links_undo(opts->link, stage);
    discard_stage(stage, named);
    return status;
}

/* The reference from the creation now belongs to the worker's list. */
void sh__stage_begin(sh_stage *stage, struct sh__message *message)
{
    sh_worker *worker = stage->worker;
    stage->started_ns = sh__clock_now(worker->host);
    stage->start_from = message->from;
    message->from = (sh_from){0};
    sh_error *error = NULL;
    if (!worker->is_open) {
        error = sh_error_ref(worker->open_error);
        if (!error)
            error = sh_error_fmt(SH_REASON_RAISED, SH_EFAILED, NULL,
                                 "worker %u could not be opened", worker->index);
    } else if (stage->arg_parcel) {
        const sh_parcel *parcel = &stage->arg_parcel->parcel;
        if (stage->ops->arg_decode(worker, parcel, &stage->arg, &error) < 0 && !error)
            error = sh__error_enomem();
        free_arg_parcel(stage);
    }
    if (error)
        sh__stage_end(stage, error, SH__END_NOW);
    else
        sh__callback_init(stage);
}

static void set_building(sh_stage *stage, bool builds)
{
    if (stage->builds == builds)
        return;
    stage->builds = builds;
    if (builds)
        atomic_fetch_add(&stage->worker->host->building, 1);
    else
        sh__host_built(stage->worker->host);
}

void sh_stage_builds(sh_stage *self, bool builds)
{
    if (self->kind == SH_PROCESS && self->phase == SH__PHASE_STARTING)
        set_building(self, builds);
}

void sh__stage_started(sh_stage *stage)
{
    set_building(stage, false);
    if (stage->phase == SH__PHASE_STARTING)
        sh__stage_set_phase(stage, SH__PHASE_RUNNING);
    if (stage->recovery)
        sh__dead_letter_open(stage);
    sh__reply(stage->worker, stage->start_from, SH_OK, (sh_batch){0}, NULL);
    sh_stage_unref(stage->start_from.stage);
    stage->start_from = (sh_from){0};
}

/* If the stage ends before handling START, the waiting stage is still in that message. */
sh_stage *sh__stage_find_asker(sh_stage *stage)
{
    struct sh__message *first = stage->mailbox.head;
    if (stage->phase == SH__PHASE_NEW && first && first->kind == SH__START) {
        stage->start_from = first->from;
        first->from = (sh_from){0};
    }
    return stage->phase < SH__PHASE_RUNNING ? stage->start_from.stage : NULL;
}

void sh__stage_free_start(sh_stage *stage)
{
    set_building(stage, false);
    free_arg_parcel(stage);
    free_subscribe_to(stage);
}

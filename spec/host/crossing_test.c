/* SPDX-License-Identifier: MIT
 *
 * Events that cross to another worker and can't be decoded there: their consumer ends, and all
 * that it has not handled is counted; with ack they are back at their producer. */
#include <stagehost.h>

#include "test.h"

enum { MAX_DEMAND = 20, BAD = 3 }; /* the third list that is decoded is the bad one */

static int64_t n_decoded, n_emitted, n_handled;

static sh_list *list_new(uint32_t n);

static void list_free(sh_list *list)
{
    sh_free(list);
}

static sh_list *concat(sh_worker *worker, const sh_batch *parts, size_t n_parts)
{
    (void)worker;
    uint32_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    return list_new(n);
}

static int encode(sh_worker *worker, const sh_batch *batch, sh_encode what, sh_parcel *out,
                  sh_error **error)
{
    (void)worker, (void)what, (void)error;
    uint32_t *n = sh_malloc(sizeof *n);
    *n = batch->n;
    *out = (sh_parcel){.data = n, .len = sizeof *n};
    return SH_OK;
}

static sh_list *decode(sh_worker *worker, const sh_parcel *parcel, sh_error **error)
{
    (void)worker;
    if (++n_decoded != BAD)
        return list_new(*(const uint32_t *)parcel->data);
    *error = sh_error_fmt(SH_REASON_RAISED, 0, "bad_parcel", "can't decode it");
    return NULL;
}

static const sh_list_ops list_ops = {.name = "fake",
                                     .free = list_free,
                                     .concat = concat,
                                     .encode = encode,
                                     .decode = decode};

static sh_list *list_new(uint32_t n)
{
    sh_list *list = sh_malloc(sizeof *list);
    *list = (sh_list){.ops = &list_ops, .n = n, .refs = 1};
    return list;
}

static int emit(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)self, (void)state;
    n_emitted += n;
    r->events = (sh_batch){.list = list_new((uint32_t)n), .n = (uint32_t)n};
    return SH_DONE;
}

static int leave(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                 sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)from;
    CHECK_INT(how, SH_ENDED_DOWN);
    CHECK_TEXT(sh_error_get(reason)->name, "bad_parcel");
    r->stop = true;
    r->reason = sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL, "nobody is left");
    return SH_DONE;
}

static int handle(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                  sh_result *r)
{
    (void)self, (void)state, (void)from, (void)r;
    n_handled += events.n;
    return SH_DONE;
}

static const sh_stage_ops source_ops = {.handle_demand = emit, .handle_cancel = leave};
static const sh_stage_ops sink_ops = {.handle_events = handle};

static void run(bool ack)
{
    n_decoded = n_emitted = n_handled = 0;
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_stage *source = NULL, *sink = NULL;
    CHECK_INT(sh_stage_start(worker,
                             &(sh_stage_opts){.kind = SH_PRODUCER, .ops = &source_ops},
                             (sh_from){0}, &source, NULL),
              SH_OK);
    sh_subscribe_opts to = {.to = source, .max_demand = MAX_DEMAND, .ack = ack};
    CHECK_INT(sh_stage_start(worker,
                             &(sh_stage_opts){.kind = SH_CONSUMER,
                                              .ops = &sink_ops,
                                              .worker = 2,
                                              .subscribe_to = &to,
                                              .n_subscribe_to = 1},
                             (sh_from){0}, &sink, NULL),
              SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT(n_decoded, BAD);
    CHECK(n_handled > 0 && n_emitted > n_handled);
    sh_stage_stats at_source, at_sink;
    sh_stage_get_stats(source, &at_source);
    sh_stage_get_stats(sink, &at_sink);
    int64_t left = n_emitted - n_handled;
    CHECK_INT((int64_t)at_source.unfinished, ack ? left : 0);
    CHECK_INT((int64_t)at_sink.unfinished, ack ? 0 : left);
    sh_host_summary summary;
    sh_host_get_summary(host, &summary);
    CHECK_INT((int64_t)summary.unfinished, left);
    CHECK_INT((int64_t)summary.discarded, 0);
    CHECK_INT((int64_t)summary.stages_failed, 1);
    sh_stage_unref(sink);
    sh_stage_unref(source);
    sh_host_free(host);
}

int main(void)
{
    run(false);
    run(true);
    return test_end();
}

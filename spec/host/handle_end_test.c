/* SPDX-License-Identifier: MIT
 *
 * handle_end of stages in C: when it is called, with what, what becomes of what it returns, and
 * what the default of a subscription's cancel mode is then. */
#include <stagehost.h>
#include <string.h>

#include "test.h"

enum { MOST_SOURCES = 2 };

/* What the stage under test has seen, in order: e events, c handle_cancel, E handle_end,
 * T terminate. */
static char seen[64];
static int64_t received; /* by the sink at the end */
static const char *end_reason;

static void note(char what)
{
    size_t len = strlen(seen);
    if (len + 1 < sizeof seen)
        seen[len] = what;
}

struct source {
    const char *reason; /* NULL: normal */
};

static int source_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)self, (void)r;
    ((struct source *)state)->reason = arg;
    return SH_DONE;
}

/* One event, and the end. */
static int source_demand(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    const struct source *source = state;
    (void)self, (void)n;
    r->stop = true;
    if (source->reason)
        r->reason = sh_error_fmt(
            strcmp(source->reason, "shutdown") == 0 ? SH_REASON_SHUTDOWN : SH_REASON_CUSTOM,
            0, source->reason, "as told");
    return sh_batch_from_values(&(sh_value){.type = SH_INTEGER, .u.integer = 1}, 1,
                                &r->events);
}

static int take(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                sh_result *r)
{
    (void)self, (void)state, (void)events, (void)from, (void)r;
    note('e');
    return SH_DONE;
}

static int on_cancel(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                     sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)how, (void)reason, (void)from, (void)r;
    note('c');
    return SH_DONE;
}

static int on_end(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    (void)self, (void)state, (void)r;
    note('E');
    end_reason =
        sh_error_is_clean(reason) ? sh_reason_name(sh_error_get(reason)->kind) : "unclean";
    return SH_DONE;
}

/* A sum, say: only known at the end. */
static int emit_at_end(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    on_end(self, state, reason, r);
    return sh_batch_from_values(&(sh_value){.type = SH_INTEGER, .u.integer = 42}, 1,
                                &r->events);
}

static int on_terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    (void)self, (void)state, (void)reason, (void)r;
    note('T');
    return SH_DONE;
}

static int sink_take(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                     sh_result *r)
{
    (void)self, (void)state, (void)from, (void)r;
    received += sh_batch_values(events)->u.integer;
    return SH_DONE;
}

static const sh_stage_ops source_ops = {
    .size = sizeof(struct source), .init = source_init, .handle_demand = source_demand};
static const sh_stage_ops plain_ops = {
    .handle_events = take, .handle_cancel = on_cancel, .terminate = on_terminate};
static const sh_stage_ops ending_ops = {.handle_events = take,
                                        .handle_cancel = on_cancel,
                                        .handle_end = on_end,
                                        .terminate = on_terminate};
static const sh_stage_ops emitting_ops = {.handle_events = take,
                                          .handle_cancel = on_cancel,
                                          .handle_end = emit_at_end,
                                          .terminate = on_terminate};
static const sh_stage_ops sink_ops = {.handle_events = sink_take};

static sh_stage *start(sh_worker *worker, const sh_stage_opts *opts)
{
    sh_stage *stage = NULL;
    CHECK_INT(sh_stage_start(worker, opts, (sh_from){0}, &stage, NULL), SH_OK);
    return stage;
}

struct scene {
    const sh_stage_ops *ops;
    const char *reasons[MOST_SOURCES]; /* of the sources' ends; NULL: normal */
    int n_sources;
    sh_cancel cancel;
    bool has_sink, is_finished; /* sh_stage_end_input at once */
    bool other_worker;
    bool leaves_some; /* one source's events may be left when the other one's end ends it */
};

/* Runs the sources, the stage under test, and a sink; `seen` says how it went. */
static void run(const struct scene *scene)
{
    memset(seen, 0, sizeof seen);
    received = 0;
    end_reason = "none";
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_subscribe_opts to[MOST_SOURCES] = {{0}};
    for (int i = 0; i < scene->n_sources; i++)
        to[i] = (sh_subscribe_opts){
            .cancel = scene->cancel,
            .to = start(worker, &(sh_stage_opts){.kind = SH_PRODUCER,
                                                 .ops = &source_ops,
                                                 .supervised = true,
                                                 .arg = (void *)scene->reasons[i]})};
    sh_stage *stage =
        start(worker,
              &(sh_stage_opts){.kind = scene->has_sink ? SH_PRODUCER_CONSUMER : SH_CONSUMER,
                               .ops = scene->ops,
                               .supervised = true,
                               .worker = scene->other_worker ? 2 : 0,
                               .subscribe_to = to,
                               .n_subscribe_to = (size_t)scene->n_sources});
    if (scene->has_sink)
        sh_stage_unref(start(
            worker, &(sh_stage_opts){.kind = SH_CONSUMER,
                                     .ops = &sink_ops,
                                     .subscribe_to = &(sh_subscribe_opts){.to = stage},
                                     .n_subscribe_to = 1}));
    if (scene->is_finished)
        CHECK_INT(sh_stage_end_input(worker, stage), SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    sh_host_summary summary;
    sh_host_get_summary(host, &summary);
    if (!scene->leaves_some)
        CHECK_INT((int64_t)summary.unfinished, 0);
    for (int i = 0; i < scene->n_sources; i++)
        sh_stage_unref(to[i].to);
    sh_stage_unref(stage);
    sh_host_free(host);
}

static void test_one_source(void)
{
    run(&(struct scene){.ops = &ending_ops, .n_sources = 1});
    CHECK_TEXT(seen, "ecET");
    CHECK_TEXT(end_reason, "normal");
    run(&(struct scene){.ops = &ending_ops, .n_sources = 1, .cancel = SH_CANCEL_PERMANENT});
    CHECK_TEXT(seen, "ecET");
    run(&(struct scene){.ops = &ending_ops, .n_sources = 1, .other_worker = true});
    CHECK_TEXT(seen, "ecET");
    run(&(struct scene){.ops = &ending_ops, .n_sources = 1, .reasons = {"shutdown"}});
    CHECK_TEXT(seen, "ecET");
    CHECK_TEXT(end_reason, "shutdown");
}

/* The default is transient: the first one's end is not the stage's. */
static void test_last_of_two(void)
{
    run(&(struct scene){.ops = &ending_ops, .n_sources = 2});
    CHECK_TEXT(seen, "ececET");
    /* without handle_end it is permanent */
    run(&(struct scene){.ops = &plain_ops, .n_sources = 2, .leaves_some = true});
    CHECK_TEXT(seen, "ecT");
    /* with a subscription left it is not called */
    run(&(struct scene){.ops = &ending_ops,
                        .n_sources = 2,
                        .cancel = SH_CANCEL_PERMANENT,
                        .leaves_some = true});
    CHECK_TEXT(seen, "ecT");
}

static void test_crash(void)
{
    run(&(struct scene){.ops = &ending_ops, .n_sources = 1, .reasons = {"oops"}});
    CHECK_TEXT(seen, "ecT");
    run(&(struct scene){.ops = &ending_ops, .n_sources = 2, .reasons = {NULL, "oops"}});
    CHECK_TEXT(seen, "ececT");
}

static void test_what_it_emits_is_delivered(void)
{
    run(&(struct scene){.ops = &emitting_ops, .n_sources = 2, .has_sink = true});
    CHECK_TEXT(seen, "ececET");
    CHECK_INT(received, 42);
    run(&(struct scene){
        .ops = &emitting_ops, .n_sources = 2, .has_sink = true, .other_worker = true});
    CHECK_TEXT(seen, "ececET");
    CHECK_INT(received, 42);
}

/* Temporary ones count when sh_stage_end_input has said that they are the last. */
static void test_end_input(void)
{
    run(&(struct scene){.ops = &ending_ops,
                        .n_sources = 2,
                        .cancel = SH_CANCEL_TEMPORARY,
                        .is_finished = true});
    CHECK_TEXT(seen, "ececET");
    run(&(struct scene){.ops = &plain_ops,
                        .n_sources = 2,
                        .cancel = SH_CANCEL_TEMPORARY,
                        .is_finished = true});
    CHECK_TEXT(seen, "ececT");
    run(&(struct scene){.ops = &ending_ops, .is_finished = true});
    CHECK_TEXT(seen, "ET");
    run(&(struct scene){.ops = &ending_ops,
                        .n_sources = 1,
                        .reasons = {"oops"},
                        .cancel = SH_CANCEL_TEMPORARY,
                        .is_finished = true});
    CHECK_TEXT(seen, "ecT");
}

int main(void)
{
    test_one_source();
    test_last_of_two();
    test_crash();
    test_what_it_emits_is_delivered();
    test_end_input();
    return test_end();
}

/* SPDX-License-Identifier: MIT
 *
 * A stage that has no memory for a message to the other side of a subscription is killed, and the
 * other side learns of it: demand does not get stuck without a word. */
#include <stagehost.h>
#include <string.h>

#include "base/alloc.h"
#include "stage/message.h"
#include "stage/worker_state.h"
#include "test.h"

/* Which callback leaves no memory for the message that follows it; once. */
enum failing { IN_DEMAND, IN_EVENTS };

static enum failing failing;
static bool has_failed, was_logged;
static const char *told; /* the reason that the other side was given */

/* The next message has to be allocated, and can't be. */
static void exhaust(sh_stage *self, enum failing here)
{
    sh_worker *worker = sh_stage_worker(self);
    if (has_failed || failing != here)
        return;
    has_failed = true;
    while (worker->free_messages) {
        struct sh__message *message = worker->free_messages;
        worker->free_messages = message->next;
        worker->n_free_messages--;
        sh_free(message);
    }
    sh__alloc_fail_nth(1);
}

static int emit(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)state, (void)n;
    int status = sh_batch_from_values(&(sh_value){.type = SH_INTEGER, .u.integer = 1}, 1,
                                      &r->events);
    exhaust(self, IN_DEMAND);
    return status;
}

static int take(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                sh_result *r)
{
    (void)state, (void)events, (void)from, (void)r;
    exhaust(self, IN_EVENTS);
    return SH_DONE;
}

static int on_cancel(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                     sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)from;
    CHECK_INT(how, SH_ENDED_DOWN);
    told = sh_reason_name(sh_error_get(reason)->kind);
    r->stop = true;
    return SH_DONE;
}

static void on_log(void *data, const sh_log_record *record)
{
    (void)data;
    if (strstr(record->message, "out of memory"))
        was_logged = true;
}

static const sh_stage_ops source_ops = {.handle_demand = emit, .handle_cancel = on_cancel};
static const sh_stage_ops sink_ops = {.handle_events = take, .handle_cancel = on_cancel};

static sh_stage *start(sh_worker *worker, const sh_stage_opts *opts)
{
    sh_stage *stage = NULL;
    CHECK_INT(sh_stage_start(worker, opts, (sh_from){0}, &stage, NULL), SH_OK);
    return stage;
}

/* With `ack` asks and events are messages, also between stages of one worker. */
static void run(enum failing where)
{
    failing = where;
    has_failed = was_logged = false;
    told = "nothing";
    sh_host *host;
    sh_host_opts opts = {.workers = 1, .log = on_log, .log_level = SH_LOG_ERROR};
    CHECK_INT(sh_host_new(&opts, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_stage *source = start(
        worker,
        &(sh_stage_opts){.kind = SH_PRODUCER, .ops = &source_ops, .supervised = true});
    sh_subscribe_opts to = {.to = source, .ack = true, .max_demand = 1};
    sh_stage *sink = start(worker, &(sh_stage_opts){.kind = SH_CONSUMER,
                                                    .ops = &sink_ops,
                                                    .supervised = true,
                                                    .subscribe_to = &to,
                                                    .n_subscribe_to = 1});
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK(has_failed);
    CHECK(!sh__alloc_is_armed());
    CHECK(was_logged);
    CHECK_TEXT(told, "killed");
    sh_stage_unref(source);
    sh_stage_unref(sink);
    sh_host_free(host);
}

int main(void)
{
    run(IN_EVENTS); /* the consumer has no memory for its ask */
    run(IN_DEMAND); /* the producer has none for its events */
    return test_end();
}

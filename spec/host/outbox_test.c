/* SPDX-License-Identifier: MIT
 *
 * Events that a stage emits one by one in a turn, for a consumer on another worker: they go there
 * together, in order, and a notification keeps its place among them. */
#include <stagehost.h>

#include "test.h"

enum { BEFORE = 10, TOTAL = 25 };

static int64_t n_seen, n_notified, n_batches, largest;

static sh_batch number(int64_t n)
{
    sh_batch batch;
    sh_value value = {.type = SH_INTEGER, .u.integer = n};
    CHECK_INT(sh_batch_from_values(&value, 1, &batch), SH_OK);
    return batch;
}

/* The demand is greater than all that comes, so this is called once. */
static int begin(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)state, (void)r;
    CHECK(n > TOTAL);
    for (int64_t i = 1; i <= TOTAL; i++)
        CHECK_INT(sh_stage_send(sh_stage_worker(self), self, number(i), NULL), SH_OK);
    return SH_DONE;
}

static int emit(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)state;
    int64_t n = sh_batch_values(message)->u.integer;
    if (n == BEFORE) /* the notification follows the event */
        CHECK_INT(
            sh_stage_notify(sh_stage_worker(self), self, number(0), (sh_from){0}, NULL),
            SH_OK);
    r->events = sh_batch_ref(message);
    r->stop = n == TOTAL;
    return SH_DONE;
}

static int handle(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                  sh_result *r)
{
    (void)self, (void)state, (void)from, (void)r;
    n_batches++;
    largest = events.n > largest ? events.n : largest;
    for (uint32_t i = 0; i < events.n; i++)
        CHECK_INT(sh_batch_values(events)[i].u.integer, ++n_seen);
    return SH_DONE;
}

static int handle_notification(sh_stage *self, void *state, sh_batch message,
                               sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)message, (void)from, (void)r;
    CHECK_INT(n_seen, BEFORE);
    n_notified++;
    return SH_DONE;
}

static int check_counters(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                          sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)how, (void)reason, (void)r;
    sh_subscription_stats stats;
    sh_subscription_get_stats(from, SH_ROLE_CONSUMER, &stats);
    CHECK_INT((int64_t)stats.events, TOTAL);
    CHECK_INT((int64_t)stats.messages, n_batches);
    CHECK_INT((int64_t)stats.crossed_events, TOTAL);
    return SH_DONE;
}

static const sh_stage_ops source_ops = {.handle_demand = begin, .handle_info = emit};
static const sh_stage_ops sink_ops = {.handle_events = handle,
                                      .handle_notification = handle_notification,
                                      .handle_cancel = check_counters};

static void run(bool ack)
{
    n_seen = n_notified = n_batches = largest = 0;
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_stage *source = NULL;
    sh_stage_opts opts = {.kind = SH_PRODUCER, .ops = &source_ops};
    CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, &source, NULL), SH_OK);
    sh_subscribe_opts to = {
        .to = source, .max_demand = 1000, .min_demand = 500, .has_min = true, .ack = ack};
    opts = (sh_stage_opts){.kind = SH_CONSUMER,
                           .ops = &sink_ops,
                           .worker = 2,
                           .subscribe_to = &to,
                           .n_subscribe_to = 1};
    CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, NULL, NULL), SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT(n_seen, TOTAL);
    CHECK_INT(n_notified, 1);
    /* A turn may end early when the machine is busy, but not after every event. */
    CHECK(n_batches < TOTAL && largest > 1);
    sh_stage_stats stats;
    sh_stage_get_stats(source, &stats);
    CHECK_INT((int64_t)stats.events_out, TOTAL);
    CHECK_INT((int64_t)stats.unfinished, 0);
    sh_stage_unref(source);
    sh_host_free(host);
}

int main(void)
{
    run(false);
    run(true);
    return test_end();
}

/* SPDX-License-Identifier: MIT
 *
 * What is counted of events that cross between workers: by subscription, and for the host by the
 * names of stages; nothing of events that stay on their worker. */
#include <stagehost.h>
#include <string.h>

#include "test.h"

enum { TOTAL = 1000, MAX_DEMAND = 100 };
enum { LEAST_BYTES = TOTAL * 16, MOST_BYTES = TOTAL * 64 };

static sh_subscription_stats at_producer, at_consumer;
static int64_t n_pairs, n_emitted;

static int emit(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)self, (void)state;
    sh_value values[MAX_DEMAND];
    n = n < TOTAL - n_emitted ? n : TOTAL - n_emitted;
    CHECK(n <= MAX_DEMAND);
    for (int64_t i = 0; i < n; i++)
        values[i] = (sh_value){.type = SH_STRING, .u.string = {"sixteen letters.", 16}};
    n_emitted += n;
    CHECK_INT(sh_batch_from_values(values, (size_t)n, &r->events), SH_OK);
    r->stop = n_emitted == TOTAL;
    return SH_DONE;
}

static int handle(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                  sh_result *r)
{
    (void)self, (void)state, (void)events, (void)from, (void)r;
    return SH_DONE;
}

static int left_producer(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                         sh_subscription *from, sh_result *r)
{
    (void)self, (void)state, (void)how, (void)reason, (void)r;
    sh_subscription_get_stats(from, SH_ROLE_CONSUMER, &at_consumer);
    return SH_DONE;
}

static int terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r);

static const sh_stage_ops source_ops = {.handle_demand = emit, .terminate = terminate};
static const sh_stage_ops sink_ops = {.handle_events = handle,
                                      .handle_cancel = left_producer};

static void note(void *data, sh_subscription *sub)
{
    (void)data;
    sh_subscription_get_stats(sub, SH_ROLE_PRODUCER, &at_producer);
}

static int terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    (void)state, (void)reason, (void)r;
    sh_stage_each_subscription(self, SH_ROLE_CONSUMER, note, NULL);
    return SH_DONE;
}

static void check_pair(void *data, const sh_crossing *crossing)
{
    (void)data;
    n_pairs++;
    CHECK_TEXT(crossing->producer, "source");
    CHECK_TEXT(crossing->consumer, "sink");
    CHECK_INT((int64_t)crossing->events, TOTAL);
    CHECK(crossing->bytes > LEAST_BYTES && crossing->bytes < MOST_BYTES);
    CHECK(crossing->encode_ns > 0 && crossing->decode_ns > 0);
    CHECK(crossing->producer_ns > 0 && crossing->consumer_ns > 0);
}

static void run(int sink_worker)
{
    n_pairs = n_emitted = 0;
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_stage *source = NULL;
    sh_stage_opts opts = {.kind = SH_PRODUCER, .ops = &source_ops, .name = "source"};
    CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, &source, NULL), SH_OK);
    sh_subscribe_opts to = {.to = source, .max_demand = MAX_DEMAND};
    opts = (sh_stage_opts){.kind = SH_CONSUMER,
                           .ops = &sink_ops,
                           .name = "sink",
                           .worker = sink_worker,
                           .subscribe_to = &to,
                           .n_subscribe_to = 1};
    CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, NULL, NULL), SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT((int64_t)at_producer.events, TOTAL);
    CHECK_INT((int64_t)at_consumer.events, TOTAL);
    sh_host_each_crossing(host, check_pair, NULL);
    sh_stage_unref(source);
    sh_host_free(host);
}

int main(void)
{
    run(2);
    CHECK_INT(n_pairs, 1);
    CHECK_INT((int64_t)at_producer.crossed_events, TOTAL);
    CHECK_INT((int64_t)at_consumer.crossed_events, TOTAL);
    CHECK(at_producer.crossed_bytes > LEAST_BYTES);
    CHECK_INT((int64_t)at_consumer.crossed_bytes, (int64_t)at_producer.crossed_bytes);
    CHECK(at_producer.encode_ns > 0 && at_producer.decode_ns == 0);
    CHECK(at_consumer.decode_ns > 0 && at_consumer.encode_ns == 0);
    run(1);
    CHECK_INT(n_pairs, 0);
    CHECK_INT((int64_t)at_producer.crossed_events, 0);
    CHECK_INT((int64_t)at_consumer.crossed_bytes, 0);
    CHECK(at_producer.encode_ns == 0 && at_consumer.decode_ns == 0);
    return test_end();
}

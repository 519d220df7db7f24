/* SPDX-License-Identifier: MIT
 *
 * What the engine costs when nothing happens, and how it grows, in C alone. Prints JSON:
 *   bytes of C memory for one of N idle stages, and ns per event of a pipeline beside them;
 *   ns per event with N subscriptions of one producer; ns per event with N events in a
 * buffer. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "stagehost.h"

struct counter {
    int64_t left;
};

static int count(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    struct counter *counter = state;
    (void)self;
    if (counter->left <= 0) {
        r->stop = true;
        return SH_DONE;
    }
    sh_value value = {.type = SH_INTEGER};
    sh_value *values = sh_malloc((size_t)n * sizeof value);
    for (int64_t i = 0; i < n; i++)
        values[i] = value;
    sh_batch_from_values(values, (size_t)n, &r->events);
    sh_free(values);
    counter->left -= n;
    return SH_DONE;
}

static int init_counter(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)self;
    (void)r;
    ((struct counter *)state)->left = *(int64_t *)arg;
    return SH_DONE;
}

static int take(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                sh_result *r)
{
    (void)self;
    (void)state;
    (void)events;
    (void)from;
    (void)r;
    return SH_DONE;
}

static const sh_stage_ops producer_ops = {
    .size = sizeof(struct counter), .init = init_counter, .handle_demand = count};
static const sh_stage_ops consumer_ops = {.size = 8, .handle_events = take};

static sh_host *new_host(void)
{
    sh_host *host = NULL;
    sh_host_opts opts = {.workers = 1};
    if (sh_host_new(&opts, &host) < 0)
        exit(1);
    return host;
}

static void start_idle(sh_worker *worker, int n)
{
    for (int i = 0; i < n; i++)
        sh_stage_start(worker, &(sh_stage_opts){.kind = SH_CONSUMER, .ops = &consumer_ops},
                       (sh_from){0}, NULL, NULL);
}

static void finish(sh_host *host)
{
    sh_host_stop(host);
    sh_host_run(host);
    sh_host_free(host);
}

static double bytes_per_stage(int n)
{
    sh_host *host = new_host();
    size_t before = mallinfo2().uordblks;
    start_idle(sh_host_worker0(host), n);
    for (int i = 0; i < n / 64 + 8; i++)
        uv_run((uv_loop_t *)sh_worker_loop(sh_host_worker0(host)), UV_RUN_NOWAIT);
    double bytes = (double)(mallinfo2().uordblks - before) / n;
    finish(host);
    return bytes;
}

/* Stages begin in order: when the last consumer has events, all have begun. */
static void run_until_fed(sh_worker *worker, const sh_stage *last)
{
    sh_stage_stats stats = {0};
    while (stats.events_in == 0) {
        uv_run((uv_loop_t *)sh_worker_loop(worker), UV_RUN_NOWAIT);
        sh_stage_get_stats(last, &stats);
    }
}

/* A pipeline of `events` events with `consumers` consumers, beside `idle` stages. */
static double ns_per_event(int64_t events, int consumers, int idle)
{
    sh_host *host = new_host();
    sh_worker *worker = sh_host_worker0(host);
    start_idle(worker, idle);
    sh_stage *producer;
    sh_stage_start(
        worker, &(sh_stage_opts){.kind = SH_PRODUCER, .ops = &producer_ops, .arg = &events},
        (sh_from){0}, &producer, NULL);
    sh_stage **all = sh_malloc((size_t)consumers * sizeof *all);
    for (int i = 0; i < consumers; i++) {
        sh_subscribe_opts subscribe = {.to = producer, .max_demand = 10};
        sh_stage_start(worker,
                       &(sh_stage_opts){.kind = SH_CONSUMER,
                                        .ops = &consumer_ops,
                                        .subscribe_to = &subscribe,
                                        .n_subscribe_to = 1},
                       (sh_from){0}, &all[i], NULL);
    }
    run_until_fed(worker, all[consumers - 1]);
    sh_stage_stats before, after;
    sh_stage_get_stats(producer, &before);
    uint64_t begin = uv_hrtime();
    while (sh_stage_is_alive(producer))
        uv_run((uv_loop_t *)sh_worker_loop(worker), UV_RUN_NOWAIT);
    uint64_t ns = uv_hrtime() - begin;
    sh_stage_get_stats(producer, &after);
    sh_stage_unref(producer);
    for (int i = 0; i < consumers; i++)
        sh_stage_unref(all[i]);
    sh_free(all);
    finish(host);
    return (double)ns / (double)(after.events_out - before.events_out);
}

int main(void)
{
    printf("{\"bytes_per_idle_stage\": %.0f", bytes_per_stage(100000));
    printf(
        ", \"ns_per_event_idle_stages\": {\"10\": %.1f, \"1000\": %.1f, \"100000\": %.1f}",
        ns_per_event(2000000, 1, 10), ns_per_event(2000000, 1, 1000),
        ns_per_event(2000000, 1, 100000));
    printf(", \"ns_per_event_subscriptions\": {\"1\": %.1f, \"100\": %.1f, \"10000\": "
           "%.1f}}\n",
           ns_per_event(2000000, 1, 0), ns_per_event(2000000, 100, 0),
           ns_per_event(4000000, 10000, 0));
    return 0;
}

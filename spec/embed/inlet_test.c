/* SPDX-License-Identifier: MIT
 *
 * Events from threads of the application, and a host in a loop that the application runs. */
#include <stagehost.h>
#include <string.h>
#include <uv.h>

#include "test.h"

enum { N_THREADS = 3, N_EVENTS = 20000, ROOM = 64 };

/* -- a consumer that counts ------------------------------------------------------------- */

static int64_t n_received, sum;
static int64_t last[N_THREADS]; /* event of each thread */
static bool in_order;

static int take(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                sh_result *r)
{
    (void)self, (void)state, (void)from, (void)r;
    const sh_value *values = sh_batch_values(events);
    for (uint32_t i = 0; i < events.n; i++) {
        int64_t thread = values[i].u.integer % N_THREADS;
        in_order &= values[i].u.integer > last[thread];
        last[thread] = values[i].u.integer;
        sum += values[i].u.integer;
        n_received++;
    }
    return SH_DONE;
}

static const sh_stage_ops sink_ops = {.handle_events = take};

static void begin(void)
{
    n_received = sum = 0;
    memset(last, -1, sizeof last);
    in_order = true;
}

static void start_sink(sh_worker *worker, sh_inlet *inlet)
{
    sh_subscribe_opts subscribe = {.to = sh_inlet_stage(inlet), .max_demand = 10};
    CHECK_INT(sh_stage_start(worker,
                             &(sh_stage_opts){.kind = SH_CONSUMER,
                                              .ops = &sink_ops,
                                              .subscribe_to = &subscribe,
                                              .n_subscribe_to = 1},
                             (sh_from){0}, NULL, NULL),
              SH_OK);
}

static sh_value integer(int64_t n)
{
    return (sh_value){.type = SH_INTEGER, .u.integer = n};
}

/* -- pushing ---------------------------------------------------------------------------- */

struct pusher {
    uv_thread_t thread;
    sh_inlet *inlet;
    int64_t index;
    int64_t taken;
};

static void push_events(void *arg)
{
    struct pusher *pusher = arg;
    for (int64_t i = 0; i < N_EVENTS; i += 7) {
        sh_value values[7];
        size_t n = 0;
        for (; n < 7 && i + (int64_t)n < N_EVENTS; n++)
            values[n] = integer((i + (int64_t)n) * N_THREADS + pusher->index);
        pusher->taken += sh_inlet_push_all(pusher->inlet, values, n, 0);
    }
}

static void close_when_done(void *arg)
{
    struct pusher *pushers = arg;
    for (int i = 0; i < N_THREADS; i++)
        uv_thread_join(&pushers[i].thread);
    sh_inlet_close(pushers[0].inlet);
}

static void push_from_threads(struct pusher *pushers, sh_inlet *inlet, uv_thread_t *closer)
{
    for (int i = 0; i < N_THREADS; i++) {
        pushers[i] = (struct pusher){.inlet = inlet, .index = i};
        CHECK_INT(uv_thread_create(&pushers[i].thread, push_events, &pushers[i]), 0);
    }
    CHECK_INT(uv_thread_create(closer, close_when_done, pushers), 0);
}

static void check_all_received(const struct pusher *pushers)
{
    int64_t n = (int64_t)N_EVENTS * N_THREADS;
    for (int i = 0; i < N_THREADS; i++)
        CHECK_INT(pushers[i].taken, N_EVENTS);
    CHECK_INT(n_received, n);
    CHECK_INT(sum, n * (n - 1) / 2);
    CHECK(in_order);
}

static void test_threads(unsigned workers)
{
    sh_host *host;
    sh_inlet *inlet;
    struct pusher pushers[N_THREADS];
    uv_thread_t closer;
    begin();
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = workers}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    CHECK_INT(sh_inlet_start(worker, &(sh_stage_opts){.worker = (int)workers}, ROOM, &inlet,
                             NULL),
              SH_OK);
    start_sink(worker, inlet);
    push_from_threads(pushers, inlet, &closer);
    CHECK_INT(sh_host_run(host), SH_OK);
    uv_thread_join(&closer);
    check_all_received(pushers);
    CHECK_INT(sh_inlet_count(inlet), 0);
    sh_inlet_free(inlet);
    sh_host_free(host);
}

static void test_room(void)
{
    sh_host *host;
    sh_inlet *inlet;
    sh_value values[10];
    for (int i = 0; i < 10; i++)
        values[i] = integer(i);
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 1}, &host), SH_OK);
    CHECK_INT(sh_inlet_start(sh_host_worker0(host), NULL, 4, &inlet, NULL), SH_OK);
    CHECK_INT(sh_inlet_push(inlet, values, 3), 3);
    CHECK_INT(sh_inlet_push(inlet, values, 3), 1);
    CHECK_INT(sh_inlet_push(inlet, values, 3), 0);
    CHECK_INT(sh_inlet_push_all(inlet, values, 3, 20), 0);
    CHECK_INT(sh_inlet_count(inlet), 4);
    sh_inlet_close(inlet);
    CHECK_INT(sh_inlet_push(inlet, values, 1), SH_ESTATE);
    CHECK_INT(sh_inlet_push_all(inlet, values, 1, 0), SH_ESTATE);

    begin();
    start_sink(sh_host_worker0(host), inlet);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT(n_received, 4);
    sh_inlet_free(inlet);
    sh_host_free(host);
}

/* A thread that waits for room is told of the end; what nobody got is in the ledger. */
static void test_end_of_producer(void)
{
    uv_loop_t loop;
    sh_host *host;
    sh_inlet *inlet;
    sh_host_summary summary;
    CHECK_INT(uv_loop_init(&loop), 0);
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 1, .loop = &loop}, &host), SH_OK);
    CHECK_INT(sh_inlet_start(sh_host_worker0(host), NULL, ROOM, &inlet, NULL), SH_OK);
    struct pusher pusher = {.inlet = inlet};
    CHECK_INT(uv_thread_create(&pusher.thread, push_events, &pusher), 0);
    for (int i = 0; i < 10 || sh_inlet_count(inlet) < ROOM;
         i++) /* the producer begins, too */
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_INT(sh_stage_exit(sh_host_worker0(host), sh_inlet_stage(inlet),
                            sh_error_fmt(SH_REASON_CUSTOM, 0, "test", "test"), NULL),
              SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    uv_thread_join(&pusher.thread);
    sh_host_get_summary(host, &summary);
    CHECK_INT(summary.unfinished, ROOM);
    CHECK_INT(sh_inlet_count(inlet), ROOM);
    sh_inlet_free(inlet);
    sh_host_free(host);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void test_never_run(void)
{
    sh_host *host;
    sh_inlet *inlet;
    sh_value value = {.type = SH_STRING, .u.string = {"text", 4}};
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 1}, &host), SH_OK);
    CHECK_INT(sh_inlet_start(sh_host_worker0(host), NULL, 0, &inlet, NULL), SH_OK);
    CHECK_INT(sh_inlet_push(inlet, &value, 1), 1);
    sh_inlet_free(inlet);
    sh_host_free(host);
    sh_inlet_free(NULL);
}

/* -- a loop of the application ------------------------------------------------------------ */

static int n_ends, n_ticks;

static void count_end(void *data)
{
    CHECK(data == &n_ends);
    n_ends++;
}

static void on_tick(uv_timer_t *timer)
{
    if (++n_ticks == 20)
        uv_close((uv_handle_t *)timer, NULL);
}

static void test_attached(unsigned workers)
{
    uv_loop_t loop;
    uv_timer_t timer;
    sh_host *host;
    sh_inlet *inlet;
    struct pusher pushers[N_THREADS];
    uv_thread_t closer;
    begin();
    n_ends = n_ticks = 0;
    CHECK_INT(uv_loop_init(&loop), 0);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_tick, 0, 1);
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = workers, .loop = &loop}, &host),
              SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    CHECK_INT(sh_inlet_start(worker, &(sh_stage_opts){.worker = (int)workers}, ROOM, &inlet,
                             NULL),
              SH_OK);
    start_sink(worker, inlet);
    CHECK_INT(sh_host_attach(host, count_end, &n_ends), SH_OK);
    CHECK_INT(sh_host_attach(host, count_end, &n_ends), SH_ESTATE);
    CHECK_INT(sh_host_run(host), SH_ESTATE);
    push_from_threads(pushers, inlet, &closer);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&closer);
    check_all_received(pushers);
    CHECK_INT(n_ends, 1);
    CHECK_INT(n_ticks, 20);
    sh_inlet_free(inlet);

    CHECK_INT(sh_host_attach(host, count_end, &n_ends), SH_OK); /* with no stage alive */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(n_ends, 2);
    sh_host_free(host);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void test_freed_while_attached(void)
{
    uv_loop_t loop;
    sh_host *host;
    sh_inlet *inlet;
    CHECK_INT(uv_loop_init(&loop), 0);
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2, .loop = &loop}, &host), SH_OK);
    CHECK_INT(sh_inlet_start(sh_host_worker0(host), &(sh_stage_opts){.worker = 2}, 0,
                             &inlet, NULL),
              SH_OK);
    CHECK_INT(sh_host_attach(host, NULL, NULL), SH_OK);
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    sh_host_free(host);
    sh_inlet_free(inlet);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void test_own_loop(void)
{
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 1}, &host), SH_OK);
    CHECK_INT(sh_host_attach(host, NULL, NULL), SH_ESTATE);
    sh_host_free(host);
}

/* -- stages that could do nothing ---------------------------------------------------------- */

static void check_refused(sh_kind kind, const char *text)
{
    static const sh_stage_ops nothing;
    sh_host *host;
    sh_error *error = NULL;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 1}, &host), SH_OK);
    CHECK_INT(sh_stage_start(sh_host_worker0(host),
                             &(sh_stage_opts){.kind = kind, .ops = &nothing}, (sh_from){0},
                             NULL, &error),
              SH_EBADOPT);
    CHECK_TEXT(sh_error_get(error)->message, text);
    sh_error_unref(error);
    sh_host_free(host);
}

int main(void)
{
    test_threads(1);
    test_threads(2);
    test_room();
    test_end_of_producer();
    test_never_run();
    test_attached(1);
    test_attached(2);
    test_freed_while_attached();
    test_own_loop();
    check_refused(
        SH_PRODUCER,
        "ops: a producer needs handle_demand, or another callback that emits events");
    check_refused(SH_CONSUMER, "ops: a stage that consumes needs handle_events");
    check_refused(SH_PRODUCER_CONSUMER, "ops: a stage that consumes needs handle_events");
    return test_end();
}

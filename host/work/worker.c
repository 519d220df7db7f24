/* SPDX-License-Identifier: MIT
 *
 * The loop of a worker. While stages have something to do, an idle handle keeps the loop
 * from waiting and runs a slice of the run queue in each of its turns, so that timers, I/O and
 * messages from other workers come in between. A slice ends after the first callback that
 * returns after 1 ms. When the queue is empty nothing is active and the worker sleeps in
 * the kernel (waiting.h). Messages to other workers are staged in outboxes and handed over once
 * per turn: one short lock and at most one wake-up for each target. */
#include "work/worker.h"

#include "base/alloc.h"
#include "base/random.h"
#include "life/turn.h"
#include "stage/above.h"
#include "stage/clock.h"
#include "stage/host_state.h"
#include "stage/ledger.h"
#include "stage/outbox.h"
#include "stage/request.h"
#include "stage/run_queue.h"
#include "stage/traffic.h"
#include "work/crossing.h"
#include "work/leap.h"
#include "work/waiting.h"

enum {
    SLICE_TURNS = 1024,
    CLOCK_EVERY = 16,
    SLICE_NS = 1000000,
    BRIEF_PART = 50, /* a callback of less than 20 us is brief */
};

/* -- slices ---------------------------------------------------------------------------- */

/* Answers a test that waits for "nothing to do", once, when that is so. */
static void answer_idle_waiter(sh_worker *worker)
{
    if (!worker->idle_waiter.stage || sh__worker_has_work(worker))
        return;
    sh_from from = worker->idle_waiter;
    worker->idle_waiter = (sh_from){0};
    sh__reply(worker, from, SH_OK, (sh_batch){0}, NULL);
    sh_stage_unref(from.stage);
}

/* A stage that has ended may still be on the C stack or in the run queue: its reference is
 * dropped here. */
static void reap(sh_worker *worker)
{
    struct sh__link *link = worker->ended.next;
    while (link != &worker->ended) {
        sh_stage *stage = sh__container_of(link, sh_stage, link);
        link = link->next;
        if (stage->is_queued)
            continue;
        sh__link_remove(&stage->link);
        sh_stage_unref(stage);
    }
}

static void run_slice(sh_worker *worker)
{
    worker->slicing = true;
    worker->queue_had_turn = false;
    worker->ticks = sh__ticks();
    uint64_t slice = sh__clock_ticks(worker->host, worker->slice_ns);
    worker->slice_end =
        worker->host->opts.virtual_clock ? UINT64_MAX : worker->ticks + slice;
    worker->brief = slice / BRIEF_PART;
    sh__worker_put_in_front(worker, NULL, false);
    for (unsigned turn = 1; turn <= SLICE_TURNS && sh__worker_has_work(worker); turn++) {
        sh_stage *stage = sh__worker_take_next(worker);
        if (sh__unlikely(worker->is_seeded)) /* to test both ways */
            worker->is_direct = sh__random(&worker->random) >> 63;
        if (sh__unlikely(worker->has_outgoing) && stage->brief == SH__CALLBACK_NONE)
            sh__worker_flush(worker); /* other workers would wait for it, too */
        worker->current = stage;
        bool more = sh__stage_turn(stage);
        worker->current = NULL;
        if (worker->fed_head)
            sh__worker_put_in_front(worker, stage, more);
        else if (more)
            sh__worker_schedule(worker, stage);
        if (sh__unlikely(worker->idle_waiter.stage != NULL))
            answer_idle_waiter(worker);
        if (turn % CLOCK_EVERY == 0) /* turns without a callback read no clock */
            worker->ticks = sh__ticks();
        if (sh__worker_slice_is_over(worker)) {
            sh__worker_get_in_line(worker);
            break;
        }
    }
    worker->slicing = false;
    if (sh__unlikely(worker->host->opts.virtual_clock) && sh__worker_has_work(worker))
        sh__worker_pass(worker);
    reap(worker);
}

static void on_idle(uv_idle_t *handle)
{
    sh_worker *worker = handle->data;
    sh__worker_deliver_inbox(worker);
    if (sh__worker_has_work(worker))
        worker->has_looked = worker->is_stalled = false;
    run_slice(worker);
    sh__worker_flush(worker);
    if (!sh__worker_has_work(worker))
        uv_idle_stop(&worker->idle);
}

/* Called before the loop waits. As long as other workers answer at once it goes on here, without
 * asking the kernel for I/O each time. */
static void talk(sh_worker *worker)
{
    uint64_t until = sh__ticks() + sh__clock_ticks(worker->host, SLICE_NS);
    while (sh__worker_rest(worker)) {
        run_slice(worker);
        sh__worker_flush(worker);
        if (sh__worker_has_work(worker) || sh__ticks() >= until) {
            uv_idle_start(&worker->idle, on_idle);
            return;
        }
        uv_idle_stop(&worker->idle);
        if (uv_backend_timeout(worker->loop) == 0)
            return;
    }
}

static void on_prepare(uv_prepare_t *handle)
{
    sh_worker *worker = handle->data;
    reap(worker);
    answer_idle_waiter(worker);
    sh__worker_flush(worker);
    if (worker->host->opts.virtual_clock) {
        if (!uv_is_active((const uv_handle_t *)&worker->idle))
            sh__worker_leap(worker);
    } else if (uv_backend_timeout(worker->loop) != 0) {
        talk(worker);
    }
}

static void on_check(uv_check_t *handle)
{
    sh__worker_rise(handle->data);
}

/* -- life ------------------------------------------------------------------------------ */

static uv_loop_t *loop_new(void)
{
    uv_loop_t *loop = sh_malloc(sizeof *loop);
    if (loop && uv_loop_init(loop) < 0) {
        sh_free(loop);
        return NULL;
    }
    return loop;
}

/* A request that libuv's thread pool does not give back will still touch its loop when it
 * finishes: that loop is left behind. */
static void loop_free(uv_loop_t *loop)
{
    if (loop && uv_loop_close(loop) != UV_EBUSY)
        sh_free(loop);
}

int sh__worker_init(sh_worker *worker, sh_host *host, unsigned index, uv_loop_t *loop)
{
    worker->host = host;
    worker->index = index;
    worker->slice_ns = SLICE_NS;
    worker->random = (host->opts.seed + index) * SH__RANDOM_SEED | 1;
    sh__link_init(&worker->stages);
    sh__link_init(&worker->ended);
    sh__link_init(&worker->pending_calls);
    worker->outboxes = sh__calloc(host->n_workers, sizeof *worker->outboxes);
    if (!worker->outboxes)
        return SH_ENOMEM;
    worker->is_seeded = host->opts.seeded;
    worker->is_direct = true;
    atomic_init(&worker->asleep_since, 1);
    if (!loop)
        loop = worker->own_loop = loop_new();
    if (!loop)
        goto loop_failed;
    worker->loop = loop;
    if (sh__bell_init(&worker->bell, worker->loop, sh__worker_on_ring) < 0)
        goto bell_failed;
    uv_mutex_init(&worker->inbox_lock);
    uv_idle_init(worker->loop, &worker->idle);
    uv_prepare_init(worker->loop, &worker->prepare);
    uv_check_init(worker->loop, &worker->check);
    worker->bell.poll.data = worker->idle.data = worker->prepare.data = worker->check.data =
        worker;
    worker->idle.idle_cb = on_idle; /* given again at every start */
    uv_prepare_start(&worker->prepare, on_prepare);
    uv_check_start(&worker->check, on_check);
    uv_unref((uv_handle_t *)&worker->prepare);
    uv_unref((uv_handle_t *)&worker->check);
    uv_unref((uv_handle_t *)&worker->bell.poll);
    worker->n_open_handles = 4;
    return SH_OK;
bell_failed:
    loop_free(worker->own_loop);
loop_failed:
    sh_free(worker->outboxes);
    return SH_ENOMEM;
}

static void on_closed(uv_handle_t *handle)
{
    sh_worker *worker = handle->data;
    worker->n_open_handles--;
}

bool sh__worker_sweep(sh_worker *worker)
{
    struct sh__message *message = sh__worker_take_inbox(worker);
    bool any = message || worker->has_outgoing;
    sh__worker_clear_queue(worker); /* only stages that have ended are left in it */
    sh__link_each (link, &worker->ended)
        sh__container_of(link, sh_stage, link)->is_queued = false;
    reap(worker);
    while (message) {
        struct sh__message *next = message->next;
        sh__message_refuse(worker, message);
        message = next;
    }
    sh__worker_flush(worker);
    return any;
}

void sh__worker_fini(sh_worker *worker)
{
    uv_close((uv_handle_t *)&worker->bell.poll, on_closed);
    uv_close((uv_handle_t *)&worker->idle, on_closed);
    uv_close((uv_handle_t *)&worker->prepare, on_closed);
    uv_close((uv_handle_t *)&worker->check, on_closed);
    while (worker->n_open_handles > 0)
        uv_run(worker->loop, UV_RUN_NOWAIT);
    sh__bell_fini(&worker->bell);
    loop_free(worker->own_loop);
    uv_mutex_destroy(&worker->inbox_lock);
    while (worker->free_messages) {
        struct sh__message *message = worker->free_messages;
        worker->free_messages = message->next;
        sh_free(message);
    }
    while (worker->unfinished) {
        struct sh__unfinished *entry = worker->unfinished;
        worker->unfinished = entry->next;
        sh_free(entry);
    }
    sh__traffic_free(worker);
    sh_error_unref(worker->open_error);
    sh_free(worker->outboxes);
    sh_free(worker->run_queue);
}

int sh__worker_open(sh_worker *worker)
{
    const sh_worker_hooks *hooks = &worker->host->opts.hooks;
    if (worker->is_open || !hooks->open) {
        worker->is_open = true;
        return SH_OK;
    }
    worker->running = uv_thread_self();
    sh_worker_begins(worker, "opening the worker");
    int status = hooks->open(worker, hooks->data, &worker->open_error);
    sh_worker_ends(worker);
    worker->is_open = status == SH_OK;
    return status;
}

void sh__worker_close(sh_worker *worker)
{
    const sh_worker_hooks *hooks = &worker->host->opts.hooks;
    sh_worker_begins(worker, "closing the worker");
    if (worker->is_open && hooks->close)
        hooks->close(worker, hooks->data);
    sh_worker_ends(worker);
    worker->is_open = false;
}

sh_host *sh_worker_host(sh_worker *worker)
{
    return worker->host;
}

unsigned sh_worker_index(const sh_worker *worker)
{
    return worker->index;
}

struct uv_loop_s *sh_worker_loop(sh_worker *worker)
{
    return worker->loop;
}

void **sh_worker_slot(sh_worker *worker)
{
    return &worker->slot;
}

int sh_worker_await_idle(sh_worker *worker, sh_from from)
{
    if (worker->idle_waiter.stage)
        return SH_ESTATE;
    worker->idle_waiter = from;
    sh_stage_ref(from.stage);
    return SH_OK;
}

void sh_worker_each_stage(sh_worker *worker, void (*each)(void *data, sh_stage *stage),
                          void *data)
{
    struct sh__link *link = worker->stages.next;
    while (link != &worker->stages) {
        struct sh__link *next = link->next;
        each(data, sh__container_of(link, sh_stage, link));
        link = next;
    }
}

/* SPDX-License-Identifier: MIT
 *
 * The stages of a worker that have something to do, in the order of their turns. */
#include "stage/run_queue.h"

#include "base/random.h"
#include "stage/stage.h"

enum { FRONT_TURNS = 64 };

static bool run_queue_grow(sh_worker *worker)
{
    uint32_t capacity = worker->run_capacity ? worker->run_capacity * 2 : 64;
    sh_stage **ring = sh_malloc(capacity * sizeof(sh_stage *));
    if (!ring)
        return false;
    for (uint32_t i = 0; i < worker->run_length; i++)
        ring[i] = worker->run_queue[(worker->run_head + i) & (worker->run_capacity - 1)];
    sh_free(worker->run_queue);
    worker->run_queue = ring;
    worker->run_capacity = capacity;
    worker->run_head = 0;
    return true;
}

/* Puts a stage in line. */
static void run_queue_push(sh_worker *worker, sh_stage *stage)
{
    if (worker->run_length == worker->run_capacity && !run_queue_grow(worker))
        return;
    uint32_t mask = worker->run_capacity - 1;
    worker->run_queue[(worker->run_head + worker->run_length++) & mask] = stage;
    stage->is_queued = true;
}

/* Makes a stage go before the queue after this turn, or after the slice's beginning. */
static void feed_push(sh_worker *worker, sh_stage *stage)
{
    stage->is_queued = true;
    stage->behind = NULL;
    if (worker->fed_head)
        worker->fed_tail->behind = stage;
    else
        worker->fed_head = stage;
    worker->fed_tail = stage;
}

/* Between slices, the call comes from a timer, I/O or another worker. */
void sh__worker_schedule(sh_worker *worker, sh_stage *stage)
{
    if (stage->is_queued)
        return;
    bool had_work = worker->slicing || sh__worker_has_work(worker);
    if (worker->slicing || worker->is_seeded)
        run_queue_push(worker, stage);
    else
        feed_push(worker, stage);
    if (!had_work)
        uv_idle_start(&worker->idle, worker->idle.idle_cb);
}

void sh__worker_schedule_fed(sh_worker *worker, sh_stage *stage)
{
    if (stage->is_queued)
        return;
    if (worker->slicing && !worker->is_seeded)
        feed_push(worker, stage);
    else
        sh__worker_schedule(worker, stage);
}

/* Takes out the oldest stage, or with a seed any one. */
static sh_stage *run_queue_pop(sh_worker *worker)
{
    uint32_t mask = worker->run_capacity - 1;
    uint32_t head = worker->run_head;
    if (worker->is_seeded && worker->run_length > 1) {
        uint32_t pick =
            (head + (uint32_t)(sh__random(&worker->random) % worker->run_length)) & mask;
        sh_stage *swap = worker->run_queue[pick];
        worker->run_queue[pick] = worker->run_queue[head];
        worker->run_queue[head] = swap;
    }
    sh_stage *stage = worker->run_queue[head];
    worker->run_head = (head + 1) & mask;
    worker->run_length--;
    return stage;
}

void sh__worker_put_in_front(sh_worker *worker, sh_stage *giver, bool has_more)
{
    if (!worker->fed_head)
        return;
    if (has_more && !giver->is_queued) {
        giver->is_queued = true;
        giver->behind = worker->front;
        worker->front = giver;
    }
    worker->fed_tail->behind = worker->front;
    worker->front = worker->fed_head;
    worker->fed_head = NULL;
}

static void clear_front(sh_worker *worker)
{
    while (worker->front) {
        sh_stage *stage = worker->front;
        worker->front = stage->behind;
        stage->is_queued = false;
        run_queue_push(worker, stage);
    }
}

void sh__worker_get_in_line(sh_worker *worker)
{
    worker->queue_is_due = !worker->queue_had_turn && worker->run_length > 0;
    clear_front(worker);
}

void sh__worker_clear_queue(sh_worker *worker)
{
    worker->front = worker->fed_head = NULL;
    worker->run_length = 0;
    worker->queue_is_due = false;
}

sh_stage *sh__worker_take_next(sh_worker *worker)
{
    if (sh__unlikely(worker->front_turns >= FRONT_TURNS))
        clear_front(worker);
    sh_stage *stage = worker->front;
    if (stage && !sh__unlikely(worker->queue_is_due)) {
        worker->front = stage->behind;
        worker->front_turns++;
    } else {
        stage = run_queue_pop(worker);
        worker->front_turns = 0;
        worker->queue_had_turn = true;
        worker->queue_is_due = false;
    }
    stage->is_queued = false;
    return stage;
}

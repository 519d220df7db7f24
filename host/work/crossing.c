/* SPDX-License-Identifier: MIT
 *
 * A worker's input from other threads: the messages in its inbox, and orders. */
#include "work/crossing.h"

#include "life/above.h"
#include "life/stats.h"
#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/deliver.h"
#include "stage/host_state.h"
#include "stage/outbox.h"
#include "stage/run_queue.h"
#include "work/drain.h"

void sh__worker_order(sh_worker *worker, uint32_t orders)
{
    atomic_fetch_or(&worker->orders, orders);
    sh__bell_ring(&worker->bell);
}

struct sh__message *sh__worker_take_inbox(sh_worker *worker)
{
    uv_mutex_lock(&worker->inbox_lock);
    struct sh__message *message = worker->inbox_head;
    worker->inbox_head = worker->inbox_tail = NULL;
    atomic_store_explicit(&worker->has_inbox, false, memory_order_relaxed);
    uv_mutex_unlock(&worker->inbox_lock);
    return message;
}

bool sh__worker_has_mail(sh_worker *worker)
{
    uv_mutex_lock(&worker->inbox_lock);
    bool has_mail = worker->inbox_head != NULL;
    uv_mutex_unlock(&worker->inbox_lock);
    return has_mail;
}

bool sh__message_unpack(sh_worker *worker, struct sh__message *message)
{
    if (sh__message_arrive(worker, message) == SH_OK)
        return true;
    sh__stage_fail(message->to, sh_error_ref(message->error));
    sh__message_refuse(worker, message);
    return false;
}

/* Events stay packed until their stage takes them: decoding is the larger part of their cost,
 * and earlier events can be handled, and more be asked for, meanwhile. */
bool sh__worker_deliver_inbox(sh_worker *worker)
{
    if (!atomic_load_explicit(&worker->has_inbox, memory_order_relaxed))
        return false;
    struct sh__message *message = sh__worker_take_inbox(worker);
    worker->exchanged = sh__ticks();
    while (message) {
        struct sh__message *next = message->next;
        if (message->kind == SH__EVENTS || sh__message_unpack(worker, message))
            sh__stage_deliver(message->to, message);
        message = next;
    }
    return true;
}

/* -- orders ---------------------------------------------------------------------------- */

static void send_to_all(sh_worker *worker, enum sh__message_kind kind)
{
    sh__link_each (link, &worker->stages) {
        sh_stage *stage = sh__container_of(link, sh_stage, link);
        if (kind == SH__DRAIN && stage->kind == SH_PROCESS)
            continue;
        struct sh__message *message = sh__message_new(worker, kind, stage);
        if (message)
            sh__stage_deliver(stage, message);
        else
            sh__stage_kill_oom(stage);
    }
}

/* The pipeline has drained: a process that only sleeps ends now, the others when they have
 * finished their callback. */
static void shut_processes_down(sh_worker *worker)
{
    sh__link_each (link, &worker->stages) {
        sh_stage *stage = sh__container_of(link, sh_stage, link);
        if (stage->kind != SH_PROCESS)
            continue;
        struct sh__message *message = sh__message_new(worker, SH__DRAIN, stage);
        if (message)
            sh__stage_deliver(stage, message);
        else
            sh__stage_kill_oom(stage);
        sh__worker_schedule(worker, stage); /* also a waiting stage: it may only sleep */
    }
}

static void dump_stages(sh_worker *worker)
{
    sh__link_each (link, &worker->stages)
        sh__stage_dump(sh__container_of(link, sh_stage, link));
}

void sh__worker_on_ring(uv_poll_t *handle, int status, int events)
{
    sh_worker *worker = handle->data;
    (void)status, (void)events;
    sh__bell_hush(&worker->bell);
    uint32_t orders = atomic_exchange(&worker->orders, 0);
    sh__worker_deliver_inbox(worker);
    if (orders & SH__ORDER_LIMIT)
        sh__drain_limit(worker->host);
    if (orders & SH__ORDER_DRAIN)
        send_to_all(worker, SH__DRAIN);
    if (orders & SH__ORDER_SHUTDOWN)
        shut_processes_down(worker);
    if (orders & SH__ORDER_DUMP)
        dump_stages(worker);
    if (orders & SH__ORDER_KILL)
        send_to_all(worker, SH__KILL);
    if (orders & SH__ORDER_FAILURE)
        worker->host->opts.on_failure(worker->host->opts.failure_data);
    sh__worker_flush(worker);
    if (!(orders & SH__ORDER_QUIT))
        return;
    if (worker->index == 0 && worker->host->on_quit)
        worker->host->on_quit(worker->host);
    else
        uv_stop(worker->loop);
}

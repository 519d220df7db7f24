/* SPDX-License-Identifier: MIT
 *
 * Messages for other workers, staged until the turn is over: one short lock and at most one wake-up
 * for each target. */
#include "stage/outbox.h"

#include "dispatch/dispatch.h"
#include "stage/host_state.h"
#include "stage/message.h"
#include "stage/worker_state.h"

/* This many events or asks are sent before the end of the turn, so that the other worker can begin
 * with them. */
enum { FLUSH_AT = 256 };

void sh__worker_post(sh_worker *worker, sh_worker *target, struct sh__message *message)
{
    struct sh__outbox *outbox = &worker->outboxes[target->index];
    message->next = NULL;
    if (outbox->tail)
        outbox->tail->next = message;
    else
        outbox->head = message;
    outbox->tail = message;
    worker->has_outgoing = true;
    int64_t n =
        message->kind == SH__ASK ? message->ask.n : (int64_t)sh__message_events(message);
    sh__demand_count(&worker->outgoing_events, n);
    if (worker->outgoing_events >= FLUSH_AT)
        sh__worker_flush(worker);
}

void sh__worker_flush(sh_worker *worker)
{
    if (!worker->has_outgoing)
        return;
    worker->has_outgoing = false;
    worker->outgoing_events = 0;
    worker->exchanged = sh__ticks();
    for (unsigned i = 0; i < worker->host->n_workers; i++) {
        struct sh__outbox *outbox = &worker->outboxes[i];
        if (!outbox->head)
            continue;
        sh_worker *target = &worker->host->workers[i];
        uv_mutex_lock(&target->inbox_lock);
        bool was_empty = target->inbox_head == NULL;
        if (was_empty)
            target->inbox_head = outbox->head;
        else
            target->inbox_tail->next = outbox->head;
        target->inbox_tail = outbox->tail;
        atomic_store_explicit(&target->has_inbox, true, memory_order_relaxed);
        uv_mutex_unlock(&target->inbox_lock);
        *outbox = (struct sh__outbox){0};
        if (was_empty && atomic_load(&target->is_asleep))
            uv_async_send(&target->wake);
    }
}

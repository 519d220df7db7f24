/* SPDX-License-Identifier: MIT
 *
 * Messages for other workers, staged until the turn is over: one short lock and at most one wake-up
 * for each target. */
#include "stage/outbox.h"

#include "dispatch/dispatch.h"
#include "stage/host_state.h"
#include "stage/stage.h"

/* This many events or asks are sent before the end of the turn, so that the other worker can begin
 * with them. */
enum { FLUSH_AT = 256 };

/* Hands the messages for one worker over. */
static void hand_over(sh_worker *worker, sh_worker *target)
{
    struct sh__outbox *outbox = &worker->outboxes[target->index];
    worker->exchanged = sh__ticks();
    uv_mutex_lock(&target->inbox_lock);
    bool was_empty = target->inbox_head == NULL;
    if (was_empty)
        target->inbox_head = outbox->head;
    else
        target->inbox_tail->next = outbox->head;
    target->inbox_tail = outbox->tail;
    atomic_store_explicit(&target->has_inbox, true, memory_order_relaxed);
    uv_mutex_unlock(&target->inbox_lock);
    outbox->head = outbox->tail = NULL;
    outbox->events = 0;
    outbox->portion++;
    if (was_empty && atomic_load(&target->asleep_since) != 0)
        sh__bell_ring(&target->bell);
}

void sh__worker_flush(sh_worker *worker)
{
    if (!worker->has_outgoing)
        return;
    worker->has_outgoing = false;
    for (unsigned i = 0; i < worker->host->n_workers; i++)
        if (worker->outboxes[i].head)
            hand_over(worker, &worker->host->workers[i]);
}

static void count(sh_worker *worker, sh_worker *target, int64_t n)
{
    struct sh__outbox *outbox = &worker->outboxes[target->index];
    sh__demand_count(&outbox->events, n);
    if (outbox->events >= FLUSH_AT)
        hand_over(worker, target);
}

/* Whether events may be added to those that are staged before this message. Asks go the other way,
 * to the producers of the target. */
static bool lets_events_pass(const struct sh__message *message)
{
    return message->kind == SH__EVENTS || message->kind == SH__ASK ||
           message->kind == SH__ACK;
}

bool sh__worker_gather(sh_worker *worker, struct sh__message *message)
{
    sh_worker *target = message->to->worker;
    const struct sh__outbox *outbox = &worker->outboxes[target->index];
    struct sh__gathering *gathering = &message->sub->out.gathering;
    const struct sh__message *staged = gathering->message;
    uint32_t n = message->parcel->n;
    if (!staged || gathering->portion != outbox->portion)
        return false;
    if (n >= FLUSH_AT || staged->parcel->ops != message->parcel->ops ||
        staged->events.delivery != message->events.delivery)
        return false;
    *gathering->end = message->parcel;
    gathering->end = &message->parcel->next;
    message->parcel = NULL;
    message->sub->out.stats.messages--;
    message->sub->producer->stats.messages_out--;
    sh__message_free(worker, message);
    count(worker, target, n);
    return true;
}

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
    if (!lets_events_pass(message))
        outbox->portion++;
    if (message->kind == SH__EVENTS && message->parcel)
        message->sub->out.gathering =
            (struct sh__gathering){message, outbox->portion, &message->parcel->next};
    count(worker, target,
          message->kind == SH__ASK ? message->ask.n : (int64_t)sh__message_events(message));
}

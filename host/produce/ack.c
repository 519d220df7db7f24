/* SPDX-License-Identifier: MIT */
#include "produce/ack.h"

#include "produce/above.h"
#include "produce/emit.h"
#include "produce/producer.h"
#include "stage/agenda.h"
#include "stage/ledger.h"
#include "stage/log.h"

/* -- the producer ---------------------------------------------------------------------- */

/* The dispatcher's queue to which the subscription's events return; NULL: the stage's buffer. */
static void *place_of(const struct sh__producer *out, sh_subscription *sub)
{
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    return queues && queues->place ? queues->place(out->dispatcher_state, sub) : NULL;
}

int sh__ack_open(sh_stage *stage, sh_subscription *sub, const sh_subscribe_opts *opts)
{
    struct sh__producer *out = stage->out;
    struct sh__ack *ack = sh_malloc(sizeof *ack);
    if (!ack)
        return SH_ENOMEM;
    *ack = (struct sh__ack){.next = out->acks,
                            .link = &out->acks,
                            .sub = sh_subscription_ref(sub),
                            .max_deliver = opts->max_deliver ? opts->max_deliver
                                                             : SH_MAX_DELIVER_DEFAULT,
                            .place = place_of(out, sub)};
    if (ack->next)
        ack->next->link = &ack->next;
    out->acks = ack;
    sub->out.ack = ack;
    return SH_OK;
}

/* Takes the struct out of its producer's list; the subscription keeps it until its own end. */
static void unlink_ack(struct sh__ack *ack)
{
    *ack->link = ack->next;
    if (ack->next)
        ack->next->link = ack->link;
    ack->next = NULL;
    ack->link = NULL;
    sh__unacked_fini(&ack->unacked);
    sh_subscription_unref(ack->sub);
}

bool sh__ack_sending(sh_subscription *sub, sh_batch events, uint32_t delivery)
{
    sh_batch_ref(events);
    if (sh__unacked_push(&sub->out.ack->unacked, events, delivery) == SH_OK)
        return true;
    sh_batch_unref(events);
    return false;
}

void sh__ack_not_sent(sh_subscription *sub, uint32_t n)
{
    sh__unacked_drop_newest(&sub->out.ack->unacked, n);
}

void sh__ack_handled(sh_stage *stage, sh_subscription *sub, int64_t n)
{
    if (n > 0 && sub->out.ack && sub->producer == stage)
        sh__unacked_drop_oldest(&sub->out.ack->unacked, n);
}

void sh__ack_receive(sh_stage *stage, struct sh__message *message)
{
    sh__ack_handled(stage, message->sub, message->ack.handled);
    if (message->ack.is_last)
        sh__ack_close(stage, message->sub, message->ack.begun, message->error);
    sh__message_free(stage->worker, message);
}

/* Makes dead letters of events that have had max_deliver deliveries. */
static void give_up(sh_stage *stage, const struct sh__ack *ack, sh_batch events,
                    const sh_error *error)
{
    const char *failed = sh__stage_label(ack->sub->consumer);
    sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_MAX_DELIVER, stage, error,
            "%u event%s delivered %u times and never acknowledged, the last time by %s",
            events.n, events.n == 1 ? " was" : "s were", ack->max_deliver, failed);
    sh__dead_letter(stage, events, error, failed, ack->max_deliver);
}

/* Takes out the parts that may not be delivered again; returns how many are left. */
static uint32_t drop_exhausted(sh_stage *stage, const struct sh__ack *ack,
                               sh_returned *parts, uint32_t n, const sh_error *error)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i].delivery <= ack->max_deliver) {
            parts[kept++] = parts[i];
            continue;
        }
        give_up(stage, ack, parts[i].events, error);
        sh_batch_unref(parts[i].events);
    }
    return kept;
}

static void give_back(sh_stage *stage, const struct sh__ack *ack, const sh_returned *parts,
                      uint32_t n)
{
    struct sh__producer *out = stage->out;
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    if (ack->place) {
        if (queues->give_back(out->dispatcher_state, ack->place, parts, n,
                              &out->dispatch.base) == SH_OK)
            return;
    } else if (sh__return_to_buffer(stage, parts, n) == SH_OK) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        sh__worker_count_unfinished(stage->worker, stage, parts[i].events.n,
                                    "out of memory");
        sh_batch_unref(parts[i].events);
    }
}

void sh__ack_close(sh_stage *stage, sh_subscription *sub, int64_t begun,
                   const sh_error *error)
{
    struct sh__ack *ack = sub->out.ack;
    if (!ack || sub->producer != stage)
        return;
    int64_t returned = ack->unacked.events;
    sh_returned *parts;
    uint32_t n;
    sh__unacked_take(&ack->unacked, begun, &parts, &n);
    if (returned > 0) {
        sh__recovery_count_returned(stage, (uint64_t)returned);
        n = drop_exhausted(stage, ack, parts, n, error);
    }
    bool has_crashed = !sh_error_is_clean(error);
    if (has_crashed) /* another consumer is expected, for unsent events too */
        stage->out->has_had_consumers = false;
    if (n > 0 || has_crashed)
        give_back(stage, ack, parts, n);
    if (n > 0)
        sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SETTLE});
    sub->out.ack = NULL;
    unlink_ack(ack);
    sh_free(ack);
}

int64_t sh__acks_pending(const struct sh__producer *out)
{
    int64_t n = 0;
    for (const struct sh__ack *ack = out->acks; ack; ack = ack->next)
        n += ack->unacked.events;
    return n;
}

void sh__acks_abandon(struct sh__producer *out)
{
    struct sh__ack *ack;
    while ((ack = out->acks)) {
        ack->missing = ack->unacked.events;
        unlink_ack(ack);
    }
}

/* The number of handled events in ASK, ACK or CONSUMER_DOWN. */
static uint32_t handled_by(const struct sh__message *message)
{
    return message->kind == SH__ASK   ? message->ask.handled
           : message->kind == SH__ACK ? message->ack.handled
                                      : message->consumer_down.handled;
}

void sh__ack_refused(sh_worker *worker, const struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if (!sub || message->to != sub->producer || !sub->out.ack)
        return;
    struct sh__ack *ack = sub->out.ack;
    int64_t handled = handled_by(message);
    ack->missing -= handled < ack->missing ? handled : ack->missing;
    bool is_last = message->kind == SH__CONSUMER_DOWN ||
                   (message->kind == SH__ACK && message->ack.is_last);
    if (!is_last || ack->missing == 0)
        return;
    sh__recovery_count_returned(sub->producer, (uint64_t)ack->missing);
    sh__worker_count_unfinished(worker, sub->producer, (uint64_t)ack->missing,
                                "unacknowledged");
    ack->missing = 0;
}

/* -- the consumer ---------------------------------------------------------------------- */

void sh__consumer_handled(sh_stage *stage, bool ask_follows)
{
    struct sh__half_in *in = &stage->feed.sub->in;
    in->acked += stage->now.batch.n;
    in->begun = 0;
    if (!ask_follows)
        sh__consumer_acknowledge(stage, stage->feed.sub);
}

static void send_ack(sh_stage *stage, sh_subscription *sub, bool is_last)
{
    struct sh__half_in *in = &sub->in;
    struct sh__message *message =
        sub->producer ? sh__message_to(stage, sub, SH__ACK) : NULL;
    if (!message)
        return;
    message->ack.handled = in->acked;
    in->acked = 0;
    if (is_last) {
        message->ack.is_last = true;
        message->ack.begun = in->begun;
        message->error = sh_error_ref(stage->end_reason);
    }
    stage->stats.messages_out++;
    sh__send(stage->worker, message, NULL);
}

void sh__consumer_acknowledge(sh_stage *stage, sh_subscription *sub)
{
    if (sub->in.acked > 0)
        send_ack(stage, sub, false);
}

void sh__consumer_last_ack(sh_stage *stage, sh_subscription *sub)
{
    if (sub->in.ack)
        send_ack(stage, sub, true);
}

void sh__consumer_last_acks(sh_stage *stage, const struct sh__mailbox *box)
{
    for (const struct sh__message *message = box->head; message; message = message->next)
        if ((message->kind == SH__CANCEL || message->kind == SH__PRODUCER_DOWN) &&
            !message->sub->in.open)
            sh__consumer_last_ack(stage, message->sub);
}

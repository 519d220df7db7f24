/* SPDX-License-Identifier: MIT
 *
 * Messages that no stage will handle. */
#include "stage/above.h"

#include "consume/dead_letter.h"
#include "produce/ack.h"
#include "stage/ledger.h"
#include "stage/links.h"
#include "stage/request.h"

static void refuse_subscribe(sh_worker *worker, struct sh__message *message)
{
    struct sh__message *down =
        sh__message_new(worker, SH__PRODUCER_DOWN, message->sub->consumer);
    if (!down)
        return;
    sh__message_name(down, message->sub);
    down->error =
        sh_error_fmt(SH_REASON_NOPROC, SH_ENOPROC, NULL, "the producer is not alive");
    sh__send(worker, down, NULL);
}

static uint64_t lost_events(const struct sh__message *message)
{
    if (message->kind == SH__LETTERS)
        return (uint64_t)message->letters.n;
    if (message->kind != SH__EVENTS || message->sub->in.ack)
        return 0;
    return sh__message_events(message);
}

void sh__message_refuse(sh_worker *worker, struct sh__message *message)
{
    sh_stage *to = message->to;
    uint64_t lost = lost_events(message);
    if (lost > 0 && message->kind == SH__LETTERS) {
        sh__dead_letter_refused(to, lost);
    } else if (lost > 0 && to->is_declined) {
        sh__worker_count_declined(worker, to, lost);
    } else if (lost > 0 && to->chose_to_stop) {
        sh__worker_count_stopped(worker, to, lost);
    } else if (lost > 0) {
        sh__worker_count_unfinished(worker, to, lost, "mailbox");
    }
    if (message->kind == SH__ASK || message->kind == SH__ACK ||
        message->kind == SH__CONSUMER_DOWN)
        sh__ack_refused(worker, message);
    if (message->kind == SH__SUBSCRIBE) {
        refuse_subscribe(worker, message);
    } else if (sh__message_route(message) == SH__ROUTE_SIGNAL) {
        sh__links_refuse(worker, message);
    } else if (message->from.stage && message->kind != SH__REPLY) {
        bool for_its_end = message->kind == SH__STOP || message->kind == SH__MONITOR;
        sh__reply(worker, message->from, for_its_end ? SH_OK : SH_ENOPROC, (sh_batch){0},
                  message->kind == SH__MONITOR ? to->end_reason : NULL);
    }
    sh__message_free(worker, message);
}

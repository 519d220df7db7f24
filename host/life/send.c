/* SPDX-License-Identifier: MIT
 *
 * The public functions that talk to a stage: each makes one message. */
#include "stagehost/subscription.h"

#include "consume/consumer.h"
#include "dispatch/dispatch.h"
#include "produce/combine.h"
#include "stage/deliver.h"
#include "stage/request.h"
#include "stage/stage.h"

static struct sh__message *new_message(sh_worker *worker, enum sh__message_kind kind,
                                       sh_stage *to, sh_from from)
{
    struct sh__message *message = sh__message_new(worker, kind, to);
    if (message && from.stage) {
        sh_stage_ref(from.stage);
        message->from = from;
    }
    return message;
}

static int send_payload(sh_worker *worker, enum sh__message_kind kind, sh_stage *to,
                        sh_batch payload, sh_from from, sh_error **error)
{
    struct sh__message *message = new_message(worker, kind, to, from);
    if (!message) {
        sh_batch_unref(payload);
        return SH_ENOMEM;
    }
    message->batch = payload;
    return sh__send(worker, message, error);
}

int sh_stage_call(sh_worker *worker, sh_stage *to, sh_batch request, sh_from from,
                  uint64_t timeout_ms, sh_error **error)
{
    int status = send_payload(worker, SH__CALL, to, request, from, error);
    if (status == SH_OK && from.stage && timeout_ms > 0)
        status = sh_timer_limit(from.stage, timeout_ms, from.ref);
    return status;
}

int sh_stage_cast(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error)
{
    return send_payload(worker, SH__CAST, to, message, (sh_from){0}, error);
}

int sh_stage_send(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error)
{
    return send_payload(worker, SH__INFO, to, message, (sh_from){0}, error);
}

int sh_stage_send_ahead(sh_stage *self, sh_batch message)
{
    struct sh__message *info = new_message(self->worker, SH__INFO, self, (sh_from){0});
    if (!info) {
        sh_batch_unref(message);
        return SH_ENOMEM;
    }
    info->batch = message;
    sh__stage_deliver_ahead(self, info);
    return SH_OK;
}

int sh_stage_info(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                  sh_error **error)
{
    return send_payload(worker, SH__QUEUED_INFO, to, message, from, error);
}

/* A notification that a stage sends to its own consumers from a callback goes right after the
 * events that the callback returns. */
int sh_stage_notify(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                    sh_error **error)
{
    if (worker->current != to || !to->out)
        return send_payload(worker, SH__NOTIFY, to, message, from, error);
    sh_marker *marker = sh__marker_new(SH__MARKER_NOTIFICATION, message);
    if (!marker)
        return SH_ENOMEM;
    if (to->in_callback || to->is_waiting)
        sh__markers_push(&to->now.told, marker);
    else
        sh__combine_mark(to, marker);
    sh__reply(worker, from, SH_OK, (sh_batch){0}, NULL);
    return SH_OK;
}

static int send_plain(sh_worker *worker, enum sh__message_kind kind, sh_stage *to,
                      sh_from from)
{
    struct sh__message *message = new_message(worker, kind, to, from);
    return message ? sh__send(worker, message, NULL) : SH_ENOMEM;
}

int sh_stage_stop(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_from from)
{
    struct sh__message *message = new_message(worker, SH__STOP, stage, from);
    if (!message) {
        sh_error_unref(reason);
        return SH_ENOMEM;
    }
    message->error = reason;
    return sh__send(worker, message, NULL);
}

int sh_stage_finish(sh_worker *worker, sh_stage *stage)
{
    if (stage->kind != SH_PRODUCER)
        return SH_ENOTPRODUCER;
    return send_plain(worker, SH__FINISH, stage, (sh_from){0});
}

int sh_stage_end_input(sh_worker *worker, sh_stage *stage)
{
    if (!sh__stage_consumes(stage))
        return SH_ENOTCONSUMER;
    return send_plain(worker, SH__FINISH, stage, (sh_from){0});
}

int sh_stage_kill(sh_worker *worker, sh_stage *stage)
{
    return send_plain(worker, SH__KILL, stage, (sh_from){0});
}

int sh_stage_join(sh_worker *worker, sh_stage *stage, sh_from from)
{
    return send_plain(worker, SH__MONITOR, stage, from);
}

int sh_stage_set_demand(sh_worker *worker, sh_stage *stage, sh_demand_mode mode,
                        sh_from from)
{
    struct sh__message *message = new_message(worker, SH__SET_DEMAND, stage, from);
    if (!message)
        return SH_ENOMEM;
    message->set_demand.mode = mode;
    return sh__send(worker, message, NULL);
}

int sh_stage_query(sh_worker *worker, sh_stage *stage, sh_query what, sh_from from)
{
    struct sh__message *message = new_message(worker, SH__QUERY, stage, from);
    if (!message)
        return SH_ENOMEM;
    message->query.what = what;
    return sh__send(worker, message, NULL);
}

/* A stage that subscribes itself can't wait for its own mailbox, so it subscribes at once. */
int sh_stage_subscribe(sh_worker *worker, sh_stage *consumer, const sh_subscribe_opts *opts,
                       sh_from from, sh_error **error)
{
    struct sh__subscribe *subscribe = sh__subscribe_new(opts);
    if (!subscribe)
        return SH_ENOMEM;
    struct sh__message *message = new_message(worker, SH__SUBSCRIBE_TO, consumer, from);
    if (!message) {
        sh__subscribe_free(subscribe);
        return SH_ENOMEM;
    }
    message->subscribe = subscribe;
    if (worker->current == consumer && sh__stage_consumes(consumer)) {
        message->subscribe = NULL;
        message->from = (sh_from){0};
        sh__message_free(worker, message);
        sh__consumer_subscribe(consumer, subscribe, from);
        return SH_OK;
    }
    return sh__send(worker, message, error);
}

int sh_subscription_ask(sh_worker *worker, sh_subscription *sub, int64_t n)
{
    if (n < 0)
        return SH_EINVAL;
    if (n == 0)
        return SH_OK;
    if (!sub->producer)
        return SH_ENOPROC;
    struct sh__message *message = sh__message_new(worker, SH__ASK, sub->producer);
    if (!message)
        return SH_ENOMEM;
    sh__message_name(message, sub);
    message->ask.n = n;
    if (sub->consumer->worker == worker) {
        sub->in.stats.asks++;
        sub->consumer->stats.asks_out++;
        sh__demand_count(&sub->consumer->stats.demand_out, n);
    }
    return sh__send(worker, message, NULL);
}

int sh_subscription_tell(sh_worker *worker, sh_subscription *sub, sh_batch message,
                         sh_error **error)
{
    struct sh__message *told = sh__message_new(worker, SH__NOTIFICATION, sub->consumer);
    if (!told) {
        sh_batch_unref(message);
        return SH_ENOMEM;
    }
    sh__message_name(told, sub);
    told->notification.is_aside = true;
    told->batch = message;
    return sh__send(worker, told, error);
}

int sh_subscription_cancel(sh_worker *worker, sh_subscription *sub, sh_error *reason)
{
    struct sh__message *message =
        sub->producer ? sh__message_new(worker, SH__CANCEL_REQUEST, sub->producer) : NULL;
    if (!message) {
        sh_error_unref(reason);
        return sub->producer ? SH_ENOMEM : SH_ENOPROC;
    }
    sh__message_name(message, sub);
    message->error = reason;
    return sh__send(worker, message, NULL);
}

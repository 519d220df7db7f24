/* SPDX-License-Identifier: MIT
 *
 * How a stage handles a message from its mailbox. */
#include "life/receive.h"

#include <assert.h>

#include "consume/above.h"
#include "consume/consumer.h"
#include "consume/limits.h"
#include "consume/producer_consumer.h"
#include "consume/share.h"
#include "life/above.h"
#include "life/end.h"
#include "life/start.h"
#include "produce/ack.h"
#include "produce/combine.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/host_state.h"
#include "stage/links.h"
#include "stage/log.h"
#include "stage/request.h"

static void refuse_kind(sh_stage *stage, struct sh__message *message, sh_log_code code,
                        int status, const char *what)
{
    sh__log(stage->worker->host, SH_LOG_ERROR, code, stage, NULL, "%s", what);
    sh__reply(stage->worker, message->from, status, (sh_batch){0}, NULL);
    sh__message_free(stage->worker, message);
}

/* Handles START. A host told to end at once has killed only the stages its workers knew then. */
static void start(sh_stage *stage, struct sh__message *message)
{
    if (sh__unlikely(sh__host_is_stopping(stage->worker->host))) {
        stage->is_killed = true;
    } else {
        sh__stage_set_phase(stage, SH__PHASE_STARTING);
        sh__stage_begin(stage, message);
    }
    sh__message_free(stage->worker, message);
}

static void subscribe_to(sh_stage *stage, struct sh__message *message)
{
    if (!sh__stage_consumes(stage)) {
        refuse_kind(stage, message, SH_LOG_PRODUCER_CANNOT_SUBSCRIBE, SH_ENOTCONSUMER,
                    "a stage that does not consume can't subscribe");
        return;
    }
    struct sh__subscribe *subscribe = message->subscribe;
    sh_from from = message->from;
    message->subscribe = NULL;
    message->from = (sh_from){0};
    sh__message_free(stage->worker, message);
    sh__consumer_subscribe(stage, subscribe, from);
}

/* Handles QUEUED_INFO: puts the info after the events the stage holds now. A consumer holds none,
 * so the info goes to the end of its mailbox, like any message. */
static void queued_info(sh_stage *stage, struct sh__message *message)
{
    sh__reply(stage->worker, message->from, SH_OK, (sh_batch){0}, NULL);
    sh_stage_unref(message->from.stage);
    message->from = (sh_from){0};
    if (!stage->out) {
        message->kind = SH__INFO;
        sh__mailbox_push(&stage->mailbox, message);
    } else if (stage->kind == SH_PRODUCER_CONSUMER && !sh__pump_is_empty(stage)) {
        sh__mailbox_push(&stage->input, message);
    } else {
        sh_batch payload = message->batch;
        message->batch = (sh_batch){0};
        sh__message_free(stage->worker, message);
        sh__combine_mark(stage, sh__marker_new(SH__MARKER_INFO, payload));
    }
}

static void notify(sh_stage *stage, struct sh__message *message)
{
    if (!stage->out) {
        refuse_kind(stage, message, SH_LOG_NOT_A_PRODUCER, SH_ENOTPRODUCER,
                    "a stage that does not produce has no consumers to notify");
        return;
    }
    sh__reply(stage->worker, message->from, SH_OK, (sh_batch){0}, NULL);
    if (stage->kind == SH_PRODUCER && stage->ops->handle_notification) {
        sh__callback_message(stage, SH__CALLBACK_NOTIFICATION, message);
        return;
    }
    sh_batch payload = message->batch;
    message->batch = (sh_batch){0};
    sh__message_free(stage->worker, message);
    sh__combine_mark(stage, sh__marker_new(SH__MARKER_NOTIFICATION, payload));
}

static void set_demand(sh_stage *stage, struct sh__message *message)
{
    bool forward = message->set_demand.mode == SH_DEMAND_FORWARD;
    if (stage->kind != SH_PRODUCER && !(forward && stage->kind == SH_PRODUCER_CONSUMER)) {
        refuse_kind(stage, message, SH_LOG_DEMAND_MODE_NOT_PRODUCER, SH_ENOTPRODUCER,
                    "the demand mode can only be set on a producer");
        return;
    }
    if (stage->kind == SH_PRODUCER)
        sh__producer_set_demand(stage, message->set_demand.mode);
    sh__reply(stage->worker, message->from, SH_OK, (sh_batch){0}, NULL);
    sh__message_free(stage->worker, message);
}

static void query(sh_stage *stage, struct sh__message *message)
{
    int64_t value = 0;
    if (message->query.what == SH_QUERY_DEMAND_MODE) {
        if (stage->kind == SH_PRODUCER_CONSUMER) {
            refuse_kind(stage, message, SH_LOG_DEMAND_MODE_NOT_PRODUCER, SH_ENOTPRODUCER,
                        "only a producer has a demand mode");
            return;
        }
        value = stage->out && stage->out->is_accumulating ? SH_DEMAND_ACCUMULATE
                                                          : SH_DEMAND_FORWARD;
    } else if (stage->out) {
        value = stage->out->buffer.count;
    } else {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_BUFFERED_NOT_PRODUCER, stage,
                NULL, "only a stage that produces has buffered events");
    }
    sh__reply_integer(stage->worker, message->from, value);
    sh__message_free(stage->worker, message);
}

static void monitor(sh_stage *stage, struct sh__message *message)
{
    sh__monitor_add(stage, message->from);
    message->from = (sh_from){0};
    sh__message_free(stage->worker, message);
}

static void stop(sh_stage *stage, struct sh__message *message)
{
    sh_error *reason = message->error;
    message->error = NULL;
    if (message->from.stage)
        sh__monitor_add(stage, message->from);
    sh__stage_end_drained(stage);
    message->from = (sh_from){0};
    sh__message_free(stage->worker, message);
    if (reason == NULL && stage->out) /* no other code will release accumulated items */
        sh__producer_set_demand(stage, SH_DEMAND_FORWARD);
    sh__stage_end_asked(stage, reason);
}

/* Handles FINISH: held events go out first. A producer that has never had consumers waits for
 * them. */
static void finish(sh_stage *stage, struct sh__message *message)
{
    sh__message_free(stage->worker, message);
    if (sh__stage_consumes(stage))
        sh__consumer_finish(stage);
    else
        sh__stage_end(stage, NULL, SH__END_GRACEFULLY);
}

/* Handles DRAIN: producers end gracefully; stages that consume end as soon as nothing feeds them
 * any more. */
static void drain(sh_stage *stage, struct sh__message *message)
{
    sh__message_free(stage->worker, message);
    if (atomic_load(&stage->writers) > 0)
        return; /* the stage is drained when its writers have ended */
    stage->is_draining = true;
    sh__combine_flush_or_fail(stage);
    sh__limits_resume_all(stage);
    if (stage->kind == SH_PRODUCER)
        sh__producer_set_demand(stage, SH_DEMAND_FORWARD);
    bool is_fed = sh__stage_consumes(stage) && !sh__link_is_empty(&stage->producers);
    bool is_deserted = stage->out && sh__link_is_empty(&stage->consumers);
    if (is_fed && !is_deserted) {
        if (stage->out)
            sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_SETTLE});
        return;
    }
    sh__stage_end_drained(stage);
}

/* Handles dead letters, or the last message of a stage that might have sent some. */
static void letters(sh_stage *stage, struct sh__message *message)
{
    if (message->letters.n > 0)
        sh__callback_message(stage, SH__CALLBACK_CAST, message);
    else if (atomic_fetch_sub(&stage->writers, 1) == 1 &&
             atomic_load(&stage->worker->host->drains))
        drain(stage, message);
    else
        sh__message_free(stage->worker, message);
}

static void call(sh_stage *stage, struct sh__message *message)
{
    sh__callback_message(stage, SH__CALLBACK_CALL, message);
}

static void cast(sh_stage *stage, struct sh__message *message)
{
    sh__callback_message(stage, SH__CALLBACK_CAST, message);
}

static void info(sh_stage *stage, struct sh__message *message)
{
    sh__callback_message(stage, SH__CALLBACK_INFO, message);
}

/* -- routes ---------------------------------------------------------------------------- */

typedef void taker(sh_stage *stage, struct sh__message *message);

/* Handles an instruction to the stage itself. */
static void take_order(sh_stage *stage, struct sh__message *message)
{
    static taker *const orders[] = {
        [SH__START] = start,           [SH__SUBSCRIBE_TO] = subscribe_to,
        [SH__PART] = sh__share_part,   [SH__NOTIFY] = notify,
        [SH__SET_DEMAND] = set_demand, [SH__QUERY] = query,
        [SH__MONITOR] = monitor,       [SH__STOP] = stop,
        [SH__FINISH] = finish,         [SH__DRAIN] = drain,
    };
    orders[message->kind](stage, message);
}

static void take_for_producer(sh_stage *stage, struct sh__message *message)
{
    if (stage->out)
        sh__producer_message(stage, message);
    else
        refuse_kind(stage, message, SH_LOG_NOT_A_PRODUCER, SH_OK,
                    "a consumer tried to subscribe to, ask or cancel a stage that does not "
                    "produce");
}

static void take_for_consumer(sh_stage *stage, struct sh__message *message)
{
    if (sh__stage_consumes(stage))
        sh__consumer_message(stage, message);
    else
        refuse_kind(stage, message, SH_LOG_NOT_A_CONSUMER, SH_OK,
                    "a producer sent events to a stage that does not consume");
}

/* Handles a message for a callback. */
static void take_for_callback(sh_stage *stage, struct sh__message *message)
{
    static taker *const callbacks[] = {[SH__CALL] = call,
                                       [SH__CAST] = cast,
                                       [SH__LETTERS] = letters,
                                       [SH__INFO] = info,
                                       [SH__QUEUED_INFO] = queued_info};
    callbacks[message->kind](stage, message);
}

static void never_in_turn(sh_stage *stage, struct sh__message *message)
{
    (void)stage, (void)message;
    assert(!"handled on arrival");
}

static taker *const routes[] = {
    [SH__ROUTE_ORDER] = take_order,           [SH__ROUTE_PRODUCER] = take_for_producer,
    [SH__ROUTE_CONSUMER] = take_for_consumer, [SH__ROUTE_CALLBACK] = take_for_callback,
    [SH__ROUTE_AT_ONCE] = never_in_turn,      [SH__ROUTE_SIGNAL] = sh__links_receive,
};

void sh__stage_receive(sh_stage *stage, struct sh__message *message)
{
    if (sh__unlikely(message->parcel) && !sh__message_unpack(stage->worker, message))
        return;
    if (stage->tap && stage->tap(stage, message, stage->tap_data))
        return;
    routes[sh__message_route(message)](stage, message);
}

/* SPDX-License-Identifier: MIT */
#include "stage/message.h"

#include <stddef.h>
#include <string.h>

#include "stage/above.h"
#include "stage/deliver.h"
#include "stage/outbox.h"
#include "stage/traffic.h"

/* After a burst, no more than this many are kept. */
enum { MOST_FREE_MESSAGES = 4096 };

const uint8_t sh__message_routes[] = {
#define XX(kind, route) [SH__##kind] = SH__ROUTE_##route,
    SH__MESSAGE_MAP(XX)
#undef XX
};

_Static_assert(offsetof(struct sh__message, sub) ==
                   offsetof(struct sh__message, blank) +
                       sizeof((struct sh__message){0}.blank),
               "sh__message_new clears the union by its member blank");

struct sh__message *sh__message_new(sh_worker *worker, enum sh__message_kind kind,
                                    sh_stage *to)
{
    struct sh__message *message = worker->free_messages;
    if (sh__likely(message != NULL)) {
        worker->free_messages = message->next;
        worker->n_free_messages--;
    } else if (!(message = sh_malloc(sizeof *message)))
        return NULL;
    /* Field by field: compilers turn a whole-struct zero into a slow string store. */
    message->next = NULL;
    message->to = to;
    message->kind = (uint8_t)kind;
    message->crossing = to->worker != worker;
    message->blank[0] = message->blank[1] = 0;
    message->sub = NULL;
    message->batch.list = NULL;
    message->batch.first = message->batch.n = 0;
    message->from.stage = NULL;
    message->from.ref = 0;
    message->error = NULL;
    message->parcel = NULL;
    if (message->crossing)
        sh_stage_ref(to);
    return message;
}

void sh__message_name(struct sh__message *message, sh_subscription *sub)
{
    message->sub = sub;
    sh__subscription_hold(sub, message->crossing);
}

struct sh__message *sh__message_to(sh_stage *stage, sh_subscription *sub,
                                   enum sh__message_kind kind)
{
    bool is_for_producer = sh__message_routes[kind] == SH__ROUTE_PRODUCER;
    struct sh__message *message = sh__message_new(
        stage->worker, kind, is_for_producer ? sub->producer : sub->consumer);
    if (sh__likely(message != NULL))
        sh__message_name(message, sub);
    else
        sh__stage_kill_oom(stage);
    return message;
}

static void crossing_free(struct sh__crossing *crossing)
{
    while (crossing) {
        struct sh__crossing *next = crossing->next;
        sh_parcel_free(&crossing->parcel);
        sh_free(crossing);
        crossing = next;
    }
}

/* Frees members that asks and events never have. */
static void free_extras(struct sh__message *message)
{
    sh_stage_unref(message->from.stage);
    sh_error_unref(message->error);
    if (sh__message_subscribes(message) && message->subscribe)
        sh__subscribe_free(message->subscribe);
    crossing_free(message->parcel);
    if (message->crossing)
        sh_stage_unref(message->to);
}

void sh__message_free(sh_worker *worker, struct sh__message *message)
{
    if (message->batch.list)
        sh_batch_unref(message->batch);
    if (message->sub)
        sh__subscription_drop(message->sub, message->crossing);
    if ((message->kind != SH__ASK && message->kind != SH__EVENTS) || message->crossing)
        free_extras(message);
    if (worker->n_free_messages >= MOST_FREE_MESSAGES) {
        sh_free(message);
        return;
    }
    worker->n_free_messages++;
    message->next = worker->free_messages;
    worker->free_messages = message;
}

/* Encodes the values of `batch` into a parcel for another worker. */
static int encode_batch(sh_worker *worker, sh_batch *batch, bool extra,
                        struct sh__crossing **out, sh_error **error)
{
    if (!batch->list)
        return SH_OK;
    struct sh__crossing *crossing = sh_malloc(sizeof *crossing);
    if (!crossing)
        return SH_ENOMEM;
    *crossing = (struct sh__crossing){.ops = batch->list->ops, .n = batch->n};
    int status =
        crossing->ops->encode(worker, batch, extra ? SH_ENCODE_EXTRA : SH_ENCODE_EVENTS,
                              &crossing->parcel, error);
    if (status < 0) {
        sh_free(crossing);
        return status;
    }
    if (crossing->parcel.ops)
        crossing->ops = crossing->parcel.ops;
    sh_batch_unref(*batch);
    *batch = (sh_batch){0};
    *out = crossing;
    return SH_OK;
}

/* The values that cross encoded. */
static sh_batch *payload_of(struct sh__message *message)
{
    return sh__message_subscribes(message) ? &message->subscribe->opts.extra
                                           : &message->batch;
}

int sh__send(sh_worker *worker, struct sh__message *message, sh_error **error)
{
    if (!message->crossing) {
        sh__stage_deliver(message->to, message);
        return SH_OK;
    }
    sh_error *local = NULL;
    bool is_extra = sh__message_subscribes(message);
    sh_batch *batch = payload_of(message);
    uint64_t began = sh__ticks();
    int status = encode_batch(worker, batch, is_extra, &message->parcel, &local);
    if (status < 0) {
        if (!local)
            local = sh_error_fmt(SH_REASON_RAISED, status, NULL, "%s", sh_strerror(status));
        sh__message_free(worker, message);
        if (error)
            *error = local;
        else
            sh_error_unref(local);
        return SH_EFAILED;
    }
    if (message->kind == SH__EVENTS && message->parcel) {
        sh__traffic_add(worker, &message->sub->out.traffic, message->parcel, began);
        if (sh__worker_gather(worker, message))
            return SH_OK;
    }
    sh__worker_post(worker, message->to->worker, message);
    return SH_OK;
}

/* Decodes the parcels of a message and makes one list of them. */
static sh_list *decode_gathered(sh_worker *worker, const struct sh__crossing *crossing,
                                sh_error **error)
{
    size_t n = 0, done = 0;
    for (const struct sh__crossing *one = crossing; one; one = one->next)
        n++;
    sh_batch *parts = sh_malloc(n * sizeof *parts);
    for (const struct sh__crossing *one = crossing; parts && one; one = one->next) {
        sh_list *list = one->ops->decode(worker, &one->parcel, error);
        if (!list)
            break;
        parts[done++] = (sh_batch){.list = list, .n = list->n};
    }
    sh_list *whole = done == n ? crossing->ops->concat(worker, parts, n) : NULL;
    while (done > 0)
        sh_batch_unref(parts[--done]);
    sh_free(parts);
    return whole;
}

static sh_list *decode(sh_worker *worker, struct sh__message *message, sh_error **error)
{
    const struct sh__crossing *crossing = message->parcel;
    uint64_t began = sh__ticks();
    sh_list *list = crossing->next
                        ? decode_gathered(worker, crossing, error)
                        : crossing->ops->decode(worker, &crossing->parcel, error);
    if (list && message->kind == SH__EVENTS)
        sh__traffic_add(worker, &message->sub->in.traffic, crossing, began);
    return list;
}

/* A payload that can't be decoded stays packed: refusing the message counts it. */
int sh__message_arrive(sh_worker *worker, struct sh__message *message)
{
    struct sh__crossing *crossing = message->parcel;
    if (!crossing)
        return SH_OK;
    sh_error *error = NULL;
    sh_list *list = decode(worker, message, &error);
    if (list) {
        *payload_of(message) = (sh_batch){.list = list, .n = list->n};
        message->parcel = NULL;
        crossing_free(crossing);
        return SH_OK;
    }
    if (!error)
        error =
            sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, NULL, "%s", sh_strerror(SH_ENOMEM));
    sh_error_unref(message->error);
    message->error = error;
    return SH_EFAILED;
}

static char *copy_string(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = sh_malloc(len);
    return copy ? memcpy(copy, text, len) : NULL;
}

struct sh__subscribe *sh__subscribe_new(const sh_subscribe_opts *opts)
{
    struct sh__subscribe *subscribe = sh_malloc(sizeof *subscribe);
    if (!subscribe)
        goto fail;
    *subscribe = (struct sh__subscribe){.opts = *opts};
    subscribe->opts.to_name = NULL;
    subscribe->opts.partition = NULL;
    subscribe->opts.to = opts->to ? sh_stage_ref(opts->to) : NULL;
    subscribe->opts.current = opts->current ? sh_subscription_ref(opts->current) : NULL;
    if ((opts->to_name && !(subscribe->opts.to_name = copy_string(opts->to_name))) ||
        (opts->partition && !(subscribe->opts.partition = copy_string(opts->partition)))) {
        sh__subscribe_free(subscribe);
        return NULL;
    }
    return subscribe;
fail:
    sh_error_unref(opts->current_reason);
    sh_batch_unref(opts->extra);
    if (opts->selector)
        opts->selector->free(opts->selector);
    return NULL;
}

void sh__subscribe_free(struct sh__subscribe *subscribe)
{
    sh_subscribe_opts *opts = &subscribe->opts;
    sh_stage_unref(opts->to);
    sh_free((void *)opts->to_name);
    sh_free((void *)opts->partition);
    sh_subscription_unref(opts->current);
    sh_error_unref(opts->current_reason);
    sh_batch_unref(opts->extra);
    if (opts->selector)
        opts->selector->free(opts->selector);
    sh__redirect_free(subscribe->redirect);
    sh_free(subscribe);
}

/* SPDX-License-Identifier: MIT
 *
 * Answers: to calls, to stages that wait for a stage's end, to requests. An answer always arrives:
 * the engine answers for a stage that ends without giving one. */
#include "stage/request.h"

#include "stage/stage.h"

void sh__reply(sh_worker *worker, sh_from from, int status, sh_batch value, sh_error *error)
{
    struct sh__message *message =
        from.stage ? sh__message_new(worker, SH__REPLY, from.stage) : NULL;
    if (!message) {
        sh_batch_unref(value);
        return;
    }
    message->reply.ref = from.ref;
    message->reply.status = status;
    message->batch = value;
    message->error = error ? sh_error_ref(error) : NULL;
    sh_error *failure = NULL;
    if (sh__send(worker, message, &failure) < 0) {
        /* Without the value, everything can cross. */
        sh__reply(worker, from, SH_EFAILED, (sh_batch){0}, failure);
        sh_error_unref(failure);
    }
}

void sh__reply_integer(sh_worker *worker, sh_from from, int64_t value)
{
    if (!from.stage)
        return;
    sh_value number = {.type = SH_INTEGER, .u.integer = value};
    sh_batch batch = {0};
    int status = sh_batch_from_values(&number, 1, &batch);
    sh__reply(worker, from, status, batch, NULL);
}

/* Answers with a counted object: the reference is taken, `release` drops it. */
static void reply_object(sh_worker *worker, sh_from from, void *object,
                         void (*release)(void *object))
{
    sh_value value = {.type = SH_POINTER, .u.pointer = {object, release}};
    sh_batch batch = {0};
    int status = sh_batch_from_values(&value, 1, &batch);
    if (status < 0)
        release(object);
    sh__reply(worker, from, status, batch, NULL);
}

/* The object that reply_object sent, borrowed; NULL: the answer is something else. */
static void *replied_object(sh_batch value, void (*release)(void *object))
{
    const sh_value *values = sh_batch_values(value);
    bool is_object = values && value.n == 1 && values->type == SH_POINTER &&
                     values->u.pointer.free == release;
    return is_object ? values->u.pointer.data : NULL;
}

static void release_subscription(void *sub)
{
    sh_subscription_unref(sub);
}

void sh__reply_subscription(sh_worker *worker, sh_from from, sh_subscription *sub)
{
    if (from.stage)
        reply_object(worker, from, sh_subscription_ref(sub), release_subscription);
}

sh_subscription *sh_subscription_of_reply(sh_batch value)
{
    sh_subscription *sub = replied_object(value, release_subscription);
    return sub ? sh_subscription_ref(sub) : NULL;
}

static void release_stage(void *stage)
{
    sh_stage_unref(stage);
}

void sh__reply_stage(sh_worker *worker, sh_from from, sh_stage *stage)
{
    if (from.stage)
        reply_object(worker, from, sh_stage_ref(stage), release_stage);
}

sh_stage *sh_stage_of_reply(sh_batch value)
{
    sh_stage *stage = replied_object(value, release_stage);
    return stage ? sh_stage_ref(stage) : NULL;
}

/* -- calls that are still to be answered ----------------------------------------------- */

/* A call that its callee took and has not answered yet. */
struct pending_call {
    struct sh__link link;
    sh_stage *callee; /* borrowed: removed before it is freed */
    sh_from from;     /* a reference */
};

void sh__pending_call_add(sh_stage *callee, sh_from from)
{
    sh_worker *worker = callee->worker;
    struct pending_call *call = sh_malloc(sizeof *call);
    if (!call) {
        sh__reply(worker, from, SH_ENOMEM, (sh_batch){0}, NULL);
        sh_stage_unref(from.stage);
        return;
    }
    call->callee = callee;
    call->from = from;
    sh__link_append(&worker->pending_calls, &call->link);
}

const sh_stage *sh__pending_callee(const sh_stage *caller)
{
    sh__link_each (link, &caller->worker->pending_calls) {
        const struct pending_call *call = sh__container_of(link, struct pending_call, link);
        if (call->from.stage == caller)
            return call->callee;
    }
    return NULL;
}

static void forget_call(struct pending_call *call)
{
    sh__link_remove(&call->link);
    sh_stage_unref(call->from.stage);
    sh_free(call);
}

/* Searches the newest calls first: most late answers come soon. */
static struct pending_call *find_call(sh_worker *worker, sh_from from)
{
    struct sh__link *head = &worker->pending_calls;
    for (struct sh__link *link = head->prev; link != head; link = link->prev) {
        struct pending_call *call = sh__container_of(link, struct pending_call, link);
        if (call->from.stage == from.stage && call->from.ref == from.ref)
            return call;
    }
    return NULL;
}

int sh_reply(sh_worker *worker, sh_from from, sh_batch value, sh_error *failure,
             sh_error **error)
{
    struct sh__message *message =
        from.stage ? sh__message_new(worker, SH__REPLY, from.stage) : NULL;
    if (!message) {
        sh_batch_unref(value);
        sh_error_unref(failure);
        return from.stage ? SH_ENOMEM : SH_EINVAL;
    }
    message->reply.ref = from.ref;
    message->reply.status = failure ? SH_EFAILED : SH_OK;
    message->batch = value;
    message->error = failure;
    int status = sh__send(worker, message, error);
    struct pending_call *call = status == SH_OK ? find_call(worker, from) : NULL;
    if (call)
        forget_call(call);
    return status;
}

/* -- waiting for the end --------------------------------------------------------------- */

struct sh__monitor {
    struct sh__monitor *next;
    sh_from from; /* a reference */
};

void sh__monitor_add(sh_stage *stage, sh_from from)
{
    struct sh__monitor *monitor = from.stage ? sh_malloc(sizeof *monitor) : NULL;
    if (!monitor) {
        sh__reply(stage->worker, from, SH_ENOMEM, (sh_batch){0}, NULL);
        sh_stage_unref(from.stage);
        return;
    }
    *monitor = (struct sh__monitor){stage->monitors, from};
    stage->monitors = monitor;
}

void sh__answer_ended(sh_stage *stage)
{
    sh_worker *worker = stage->worker;
    while (stage->monitors) {
        struct sh__monitor *monitor = stage->monitors;
        stage->monitors = monitor->next;
        sh__reply(worker, monitor->from, SH_OK, (sh_batch){0}, stage->end_reason);
        sh_stage_unref(monitor->from.stage);
        sh_free(monitor);
    }
    struct sh__link *link = worker->pending_calls.next;
    while (link != &worker->pending_calls) {
        struct pending_call *call = sh__container_of(link, struct pending_call, link);
        link = link->next;
        if (call->callee != stage)
            continue;
        sh__reply(worker, call->from, SH_ENOPROC, (sh_batch){0}, stage->end_reason);
        forget_call(call);
    }
}

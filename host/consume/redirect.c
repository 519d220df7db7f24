/* SPDX-License-Identifier: MIT */
#include "consume/redirect.h"

#include <string.h>

#include "base/error.h"
#include "consume/consumer.h"
#include "consume/limits.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/agenda.h"

/* More redirections than this mean a loop. */
enum { MOST_HOPS = 16 };

/* -- in a result: the reply is a list without events that holds the redirection -------- */

struct redirect_list {
    sh_list base;
    struct sh__redirect *redirect;
};

void sh__redirect_free(struct sh__redirect *redirect)
{
    for (size_t i = 0; redirect && i < redirect->n; i++) {
        sh_stage_unref(redirect->targets[i].stage);
        sh_free(redirect->targets[i].name);
    }
    sh_free(redirect);
}

static void list_free(sh_list *list)
{
    struct redirect_list *self = sh__container_of(list, struct redirect_list, base);
    sh__redirect_free(self->redirect);
    sh_free(self);
}

/* Such a list never leaves the worker. */
static const sh_list_ops redirect_list_ops = {.name = "redirect", .free = list_free};

static bool add_target(struct sh__redirect *redirect, const sh_target *target)
{
    struct sh__target *to = &redirect->targets[redirect->n];
    *to = (struct sh__target){0};
    if (target->stage) {
        to->stage = sh_stage_ref(target->stage);
    } else {
        size_t size = strlen(target->name) + 1;
        if (!(to->name = sh_malloc(size)))
            return false;
        memcpy(to->name, target->name, size);
    }
    redirect->n++;
    return true;
}

static struct sh__redirect *redirect_new(const sh_target *targets, size_t n,
                                         const sh_cancel *cancel)
{
    struct sh__redirect *redirect =
        sh_malloc(sizeof *redirect + n * sizeof *redirect->targets);
    if (!redirect)
        return NULL;
    *redirect = (struct sh__redirect){.has_cancel = cancel != NULL};
    if (cancel)
        redirect->cancel = *cancel;
    for (size_t i = 0; i < n; i++)
        if (!add_target(redirect, &targets[i])) {
            sh__redirect_free(redirect);
            return NULL;
        }
    return redirect;
}

int sh_result_redirect(sh_result *r, const sh_target *targets, size_t n,
                       const sh_cancel *cancel)
{
    struct redirect_list *list = sh_malloc(sizeof *list);
    struct sh__redirect *redirect = redirect_new(targets, n, cancel);
    if (!list || !redirect) {
        sh_free(list);
        sh__redirect_free(redirect);
        return SH_ENOMEM;
    }
    *list = (struct redirect_list){.base = {.ops = &redirect_list_ops, .refs = 1},
                                   .redirect = redirect};
    sh_batch_unref(r->reply);
    r->reply = (sh_batch){.list = &list->base};
    r->mode = SH_REDIRECT;
    return SH_OK;
}

static struct sh__redirect *take(sh_result *r)
{
    struct sh__redirect *redirect = NULL;
    if (r->reply.list && r->reply.list->ops == &redirect_list_ops) {
        struct redirect_list *list =
            sh__container_of(r->reply.list, struct redirect_list, base);
        redirect = list->redirect;
        list->redirect = NULL;
    }
    sh_batch_unref(r->reply);
    r->reply = (sh_batch){0};
    return redirect;
}

/* -- at the producer ------------------------------------------------------------------- */

static struct sh__message *redirect_message(sh_stage *stage, struct sh__task *task,
                                            struct sh__redirect *redirect)
{
    struct sh__message *message = sh__message_to(stage, task->sub, SH__REDIRECT);
    if (!message) {
        sh__redirect_free(redirect);
        return NULL;
    }
    message->subscribe = task->subscribe;
    task->subscribe = NULL;
    message->subscribe->redirect = redirect;
    if (message->subscribe->opts.selector) /* made on this side from `extra` */
        message->subscribe->opts.selector->free(message->subscribe->opts.selector);
    message->subscribe->opts.selector = NULL;
    return message;
}

void sh__redirect_send(sh_stage *stage, struct sh__task *task, sh_result *r)
{
    sh_subscription *sub = task->sub;
    struct sh__redirect *redirect = take(r);
    if (!sub->out.open || !redirect) { /* cancelled while handle_subscribe waited */
        sh__redirect_free(redirect);
        return;
    }
    sh_error *error = NULL;
    if (task->subscribe->hops >= MOST_HOPS) {
        sh__redirect_free(redirect);
        error = sh_error_fmt(SH_REASON_CUSTOM, 0, "redirected_too_often",
                             "redirected %d times without reaching a producer", MOST_HOPS);
    } else {
        struct sh__message *message = redirect_message(stage, task, redirect);
        stage->stats.messages_out++;
        if (!message)
            error = sh_error_fmt(SH_REASON_CUSTOM, SH_ENOMEM, NULL, "%s",
                                 sh_strerror(SH_ENOMEM));
        else if (sh__send(stage->worker, message, &error) == SH_OK)
            error = sh_error_fmt(SH_REASON_CUSTOM, 0, "redirected",
                                 "redirected to other producers");
    }
    sh__producer_cancel(stage, sub, SH_ENDED_CANCEL, error, SH__TELL_CONSUMER);
}

/* -- at the consumer ------------------------------------------------------------------- */

static void follow_one(sh_stage *stage, const struct sh__message *message, size_t i)
{
    const struct sh__subscribe *from = message->subscribe;
    const struct sh__redirect *redirect = from->redirect;
    sh_subscribe_opts opts = from->opts;
    opts.to = redirect->targets[i].stage;
    opts.to_name = redirect->targets[i].name;
    opts.via = 0;
    if (redirect->has_cancel)
        opts.cancel = redirect->cancel;
    opts.current = NULL;
    opts.current_reason = NULL;
    opts.extra = opts.extra.list ? sh_batch_ref(opts.extra) : (sh_batch){0};
    struct sh__subscribe *subscribe = sh__subscribe_new(&opts);
    if (!subscribe) {
        sh__stage_fail(stage, sh__error_enomem());
        return;
    }
    subscribe->hops = (uint8_t)(from->hops + 1);
    sh__consumer_subscribe(stage, subscribe, (sh_from){0});
}

/* From the last to the first: their handle_subscribe lies on the agenda, a stack. */
void sh__redirect_follow(sh_stage *stage, struct sh__message *message)
{
    sh_subscription *sub = message->sub;
    if ((sub->in.limits && sub->in.limits->is_parting) || stage->phase >= SH__PHASE_LEAVING)
        return;
    sub->in.cancel = SH_CANCEL_TEMPORARY; /* the CANCEL to come is not its producer's end */
    for (size_t i = message->subscribe->redirect->n; i > 0; i--)
        follow_one(stage, message, i - 1);
}

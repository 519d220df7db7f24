/* SPDX-License-Identifier: MIT */
#include "consume/share.h"

#include <string.h>

#include "consume/limits.h"
#include "stage/message.h"
#include "stage/stage.h"

static const char *partition_of(const sh_subscribe_opts *opts)
{
    return opts->partition ? opts->partition : "";
}

sh_subscription *sh__share_find(sh_stage *stage, const sh_subscribe_opts *opts)
{
    struct sh__link *head = &stage->producers;
    sh__link_each (link, head) {
        sh_subscription *sub = sh__container_of(link, sh_subscription, in.link);
        bool is_leaving = sub->in.limits && sub->in.limits->is_parting;
        if (sub->producer == opts->to && sub->in.via && !is_leaving &&
            strcmp(sub->in.via->partition, partition_of(opts)) == 0)
            return sub;
    }
    return NULL;
}

int sh__share_add(sh_subscription *sub, const sh_subscribe_opts *opts)
{
    for (const struct sh__via *via = sub->in.via; via; via = via->next)
        if (via->id == opts->via)
            return SH_OK;
    if (opts->via == 0)
        return SH_OK;
    size_t size = strlen(partition_of(opts)) + 1;
    struct sh__via *via = sh_malloc(sizeof *via + size);
    if (!via)
        return SH_ENOMEM;
    *via = (struct sh__via){.next = sub->in.via, .id = opts->via};
    memcpy(via->partition, partition_of(opts), size);
    sub->in.via = via;
    return SH_OK;
}

/* Drops the share of `id`; returns whether it was the last one. */
static bool drop_share(sh_subscription *sub, uint64_t id)
{
    struct sh__via **place = &sub->in.via, *via;
    while (*place && (*place)->id != id)
        place = &(*place)->next;
    if (!(via = *place))
        return false;
    if (!sub->in.via->next)
        return true;
    *place = via->next;
    sh_free(via);
    return false;
}

void sh__share_part(sh_stage *stage, struct sh__message *message)
{
    const sh_subscribe_opts *opts = &message->subscribe->opts;
    struct sh__link *head = &stage->producers, *link = head->next;
    while (link != head) {
        sh_subscription *sub = sh__container_of(link, sh_subscription, in.link);
        link = link->next;
        if (sub->producer == opts->to && drop_share(sub, opts->via))
            sh__limits_unsubscribe(stage, sub, sh_error_ref(opts->current_reason));
    }
    sh__message_free(stage->worker, message);
}

int sh_stage_part(sh_worker *worker, sh_stage *consumer, sh_stage *producer, uint64_t via,
                  sh_error *reason)
{
    struct sh__subscribe *subscribe = sh__subscribe_new(
        &(sh_subscribe_opts){.to = producer, .via = via, .current_reason = reason});
    if (!subscribe)
        return SH_ENOMEM;
    struct sh__message *message = sh__message_new(worker, SH__PART, consumer);
    if (!message) {
        sh__subscribe_free(subscribe);
        return SH_ENOMEM;
    }
    message->subscribe = subscribe;
    return sh__send(worker, message, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "dispatch/partition_queue.h"

#include <string.h>

#include "dispatch/dispatch.h"

int sh__partition_init(struct sh__partition *partition, const char *name, int64_t size,
                       sh_keep keep)
{
    size_t len = strlen(name) + 1;
    *partition = (struct sh__partition){.name = sh_malloc(len)};
    if (!partition->name)
        return SH_ENOMEM;
    memcpy(partition->name, name, len);
    sh__link_init(&partition->members);
    sh__buffer_init(&partition->queue, size, keep);
    return SH_OK;
}

static struct sh__member *member_at(struct sh__link *link)
{
    return sh__container_of(link, struct sh__member, link);
}

void sh__partition_fini(struct sh__partition *partition)
{
    /* A marker may be in several queues: the last of them frees it. */
    struct sh__markers released = {0};
    sh_marker *marker;
    sh__buffer_clear(&partition->queue, &released);
    sh__buffer_take_markers(&partition->queue, &released);
    while ((marker = sh__markers_pop(&released)) != NULL)
        if (--marker->pending == 0)
            sh__marker_free(marker);
    sh__buffer_fini(&partition->queue);
    while (!sh__link_is_empty(&partition->members))
        sh__partition_leave(member_at(partition->members.next));
    sh_free(partition->name);
}

/* -- members --------------------------------------------------------------------------- */

struct sh__member *sh__partition_join(struct sh__partition *partition, sh_subscription *sub)
{
    struct sh__member *member = sh_malloc(sizeof *member);
    if (!member)
        return NULL;
    *member =
        (struct sh__member){.partition = partition, .sub = sub, .turn = ++partition->turns};
    sh__link_append(&partition->members, &member->link);
    partition->is_abandoned = false;
    return member;
}

void sh__partition_leave(struct sh__member *member)
{
    member->partition->demand -= member->demand;
    sh__link_remove(&member->link);
    sh_free(member);
}

static void change_demand(struct sh__member *member, int64_t n)
{
    member->demand += n;
    member->partition->demand += n;
    member->turn = ++member->partition->turns;
}

/* The member with the largest demand; among equals the one with the oldest change of demand. */
static struct sh__member *pick_member(struct sh__partition *partition)
{
    struct sh__link *head = &partition->members;
    struct sh__member *best = member_at(head->next);
    for (struct sh__link *link = best->link.next; link != head; link = link->next) {
        struct sh__member *member = member_at(link);
        if (member->demand > best->demand ||
            (member->demand == best->demand && member->turn < best->turn))
            best = member;
    }
    return best;
}

/* -- markers --------------------------------------------------------------------------- */

static void notify(struct sh__partition *partition, sh_marker *marker, sh_dispatch *out)
{
    struct sh__link *head = &partition->members;
    if (marker->kind == SH__MARKER_INFO)
        return;
    sh__link_each (link, head)
        out->notify(out, member_at(link)->sub, marker);
}

/* Called when the queue has let a marker pass. */
static void pass_marker(struct sh__partition *partition, sh_marker *marker,
                        sh_dispatch *out)
{
    notify(partition, marker, out);
    if (--marker->pending == 0)
        out->release(out, marker);
}

/* Handles the markers after the last event taken: notifications go on at once; infos wait for the
 * next ask if more events come after them, as in GenStage 1.3. */
static void pass_markers(struct sh__partition *partition, struct sh__markers *released,
                         bool is_exhausted, sh_dispatch *out)
{
    struct sh__markers waiting = {0};
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL) {
        if (is_exhausted && partition->queue.count > 0 && marker->kind == SH__MARKER_INFO)
            sh__markers_push(&waiting, marker);
        else
            pass_marker(partition, marker, out);
    }
    /* Puts infos back. Their places in the queue have just become free, so this can't fail. */
    if (waiting.head)
        sh__buffer_put_back_markers(&partition->queue, &waiting);
}

static void pass_all(struct sh__partition *partition, struct sh__markers *released,
                     sh_dispatch *out)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL)
        pass_marker(partition, marker, out);
}

void sh__partition_abandon(struct sh__partition *partition, sh_dispatch *out)
{
    struct sh__markers released = {0};
    partition->is_abandoned = true;
    sh__buffer_take_infos(&partition->queue, &released);
    pass_all(partition, &released, out);
}

int64_t sh__partition_drop(struct sh__partition *partition, sh_dispatch *out)
{
    struct sh__markers released = {0};
    int64_t n = sh__buffer_clear(&partition->queue, &released);
    pass_all(partition, &released, out);
    return n;
}

int sh__partition_reserve_mark(struct sh__partition *partition)
{
    return partition->queue.count > 0 ? sh__buffer_reserve(&partition->queue, 1) : SH_OK;
}

void sh__partition_mark(struct sh__partition *partition, sh_marker *marker,
                        sh_dispatch *out)
{
    if (partition->is_abandoned && marker->kind == SH__MARKER_INFO)
        return;
    if (sh__buffer_mark(&partition->queue, marker) == SH_OK)
        marker->pending++;
    else
        notify(partition, marker, out);
}

/* -- events ---------------------------------------------------------------------------- */

/* Sends ranges in as few messages as possible; takes them. */
static void send_parts(sh_subscription *sub, const sh_batch *parts, uint32_t n_parts,
                       sh_dispatch *out)
{
    while (n_parts > 0) {
        sh_batch message;
        uint32_t joined;
        if (sh__batch_join(out->worker, parts, n_parts, &message, &joined) != SH_OK) {
            message = parts[0];
            joined = 1;
        }
        out->send(out, sub, message);
        parts += joined;
        n_parts -= joined;
    }
}

void sh__partition_ask(struct sh__member *member, int64_t n, sh_dispatch *out)
{
    struct sh__partition *partition = member->partition;
    while (n > 0 && partition->queue.count > 0) {
        struct sh__markers released = {0};
        sh_batch *parts;
        uint32_t n_parts;
        int64_t taken = sh__buffer_take(&partition->queue, n, &parts, &n_parts, &released);
        n -= taken;
        out->delivery = partition->queue.taken_delivery;
        send_parts(member->sub, parts, n_parts, out);
        out->delivery = 0;
        pass_markers(partition, &released, n == 0, out);
    }
    change_demand(member, sh_demand_room(member->demand, n));
}

int sh__partition_give_back(struct sh__partition *partition, const sh_returned *parts,
                            uint32_t n, sh_dispatch *out)
{
    if (sh__buffer_reserve(&partition->queue, n) != SH_OK)
        return SH_ENOMEM;
    if (n > 0)
        partition->is_abandoned = false; /* a consumer is to come for them */
    while (n > 0) {
        n--;
        sh__buffer_return(&partition->queue, parts[n].events, parts[n].delivery);
    }
    int64_t allowed = out->is_paced ? out->allowed : INT64_MAX;
    while (partition->demand > 0 && partition->queue.count > 0 && allowed > 0) {
        struct sh__member *member = pick_member(partition);
        int64_t before = partition->queue.count;
        int64_t demand = member->demand < allowed ? member->demand : allowed;
        change_demand(member, -demand);
        sh__partition_ask(member, demand, out);
        allowed -= before - partition->queue.count;
    }
    return SH_OK;
}

/* Sends the first n events of `part`, for which there is demand. */
static void send_demanded(struct sh__partition *partition, sh_batch part, uint32_t n,
                          sh_dispatch *out)
{
    for (uint32_t sent = 0; sent < n;) {
        struct sh__member *member = pick_member(partition);
        uint32_t take = n - sent;
        if (take > member->demand)
            take = (uint32_t)member->demand;
        change_demand(member, -(int64_t)take);
        out->send(out, member->sub, sh__batch_part(part, sent, take));
        sent += take;
    }
}

int sh__partition_deliver(struct sh__partition *partition, sh_batch part, sh_dispatch *out,
                          uint64_t *discarded)
{
    uint32_t n = part.n < partition->demand ? part.n : (uint32_t)partition->demand;
    if (sh__unlikely(partition->queue.count > 0))
        n = 0; /* what came back waits to be sent: see sh_dispatch.is_paced */
    *discarded = 0;
    send_demanded(partition, part, n, out);
    if (n == part.n) {
        sh__batch_unref(part);
        return SH_OK;
    }
    part.first += n;
    part.n -= n;
    struct sh__markers released = {0};
    int status = sh__buffer_store(&partition->queue, part, &released, discarded);
    pass_all(partition, &released, out);
    return status;
}

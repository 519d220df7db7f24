/* SPDX-License-Identifier: MIT
 *
 * Broadcast with a memory: a late subscriber first gets the last n events that were
 * broadcast before it came, as far as its selector lets them through. They use up its
 * demand like any others.
 *
 * It is the broadcast dispatcher with a queue in front of each newcomer. A newcomer's demand
 * takes events from its queue first; only when that is empty does the broadcast learn of its
 * demand. Until then it is, for the broadcast, a consumer that has not asked yet: the others
 * wait for it, as they wait for any newcomer's first ask. So a queue never grows, no event is
 * kept that is not in the history anyway, and the order is that of the broadcast. Only
 * notifications can come in the meantime: they wait after the queue.
 *
 * A subscription's word belongs to the broadcast in the callbacks of the broadcast, and to the
 * replay dispatcher between them. */
#include "stagehost/dispatcher.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/list.h"
#include "dispatch/dispatch.h"
#include "events/buffer.h"

struct consumer {
    struct sh__link link;
    sh_subscription *sub;
    void *word;              /* the broadcast's record of it */
    sh_selector *selector;   /* of that record; NULL: all events */
    bool is_unfiltered;      /* the selector has not seen the queue yet */
    struct sh__buffer queue; /* events to be replayed, with markers */
};

struct replay {
    void *broadcast; /* its state */
    struct sh__link consumers;
    struct sh__buffer history;
};

static const sh_dispatcher_ops *const broadcast = &sh_dispatcher_broadcast;

static struct consumer *consumer_at(struct sh__link *link)
{
    return sh__container_of(link, struct consumer, link);
}

static struct consumer *consumer_of(sh_subscription *sub)
{
    return *sh_subscription_dispatch_data(sub);
}

static void pass_word(sh_subscription *sub, void *word)
{
    *sh_subscription_dispatch_data(sub) = word;
}

static int replay_init(void *state, const void *opts, uint64_t seed, sh_error **error)
{
    struct replay *self = state;
    const sh_replay_opts *given = opts;
    if (!given || given->n < 1) {
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "replay_invalid",
                              "dispatcher option replay must be 1 or more, got %lld",
                              given ? (long long)given->n : 0);
        return SH_EBADOPT;
    }
    sh__link_init(&self->consumers);
    sh__buffer_init(&self->history, given->n, SH_KEEP_LAST);
    self->broadcast = sh__calloc(1, broadcast->size);
    if (!self->broadcast)
        return sh__dispatch_enomem(error);
    return broadcast->init(self->broadcast, NULL, seed, error);
}

static void free_consumer(struct consumer *consumer)
{
    sh__buffer_fini(&consumer->queue);
    sh__link_remove(&consumer->link);
    sh_free(consumer);
}

static void replay_fini(void *state)
{
    struct replay *self = state;
    if (!self->broadcast)
        return; /* init has failed */
    while (!sh__link_is_empty(&self->consumers))
        free_consumer(consumer_at(self->consumers.next));
    broadcast->fini(self->broadcast);
    sh_free(self->broadcast);
    sh__buffer_fini(&self->history);
}

/* -- the consumers --------------------------------------------------------------------- */

/* Appends the events of the history, which has no markers. */
static int copy_history(const struct sh__buffer *history, struct sh__buffer *to)
{
    struct sh__markers none = {0};
    uint64_t discarded;
    int status = SH_OK;
    for (uint32_t i = 0; status == SH_OK && i < history->length; i++) {
        uint32_t at = (history->head + i) & (history->capacity - 1);
        sh_batch batch = sh__batch_ref(history->ring[at].batch);
        status = sh__buffer_store(to, batch, &none, &discarded);
    }
    return status;
}

static struct consumer *consumer_new(struct replay *self, sh_subscription *sub)
{
    struct consumer *consumer = sh_malloc(sizeof *consumer);
    if (!consumer)
        return NULL;
    *consumer = (struct consumer){.sub = sub};
    sh__link_init(&consumer->link);
    sh__buffer_init(&consumer->queue, SH_BUFFER_INFINITY, SH_KEEP_LAST);
    if (copy_history(&self->history, &consumer->queue) == SH_OK)
        return consumer;
    free_consumer(consumer);
    return NULL;
}

static int replay_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                            sh_error **error)
{
    struct replay *self = state;
    struct consumer *consumer = consumer_new(self, sub);
    if (!consumer)
        return sh__dispatch_enomem(error);
    consumer->selector = opts->selector;
    consumer->is_unfiltered = opts->selector && consumer->queue.count > 0;
    int status = broadcast->subscribe(self->broadcast, sub, opts, error);
    if (status != SH_OK) {
        free_consumer(consumer);
        return status;
    }
    sh__link_append(&self->consumers, &consumer->link);
    consumer->word = *sh_subscription_dispatch_data(sub);
    pass_word(sub, consumer);
    return SH_OK;
}

static void release_markers(struct sh__markers *released, sh_subscription *to,
                            sh_dispatch *out)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL) {
        if (to)
            out->notify(out, to, marker);
        if (--marker->pending == 0)
            out->release(out, marker);
    }
}

static void replay_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct replay *self = state;
    struct consumer *consumer = consumer_of(sub);
    struct sh__markers released = {0};
    sh__buffer_clear(&consumer->queue, &released);
    release_markers(&released, NULL, out);
    pass_word(sub, consumer->word);
    broadcast->cancel(self->broadcast, sub, out);
    free_consumer(consumer);
}

/* -- catching up ----------------------------------------------------------------------- */

/* Appends the events that the selector chooses from one range (taken) to `chosen`. */
static int choose(struct consumer *consumer, sh_batch part, struct sh__buffer *chosen,
                  sh_dispatch *out, sh_error **error)
{
    struct sh__markers none = {0};
    sh_batch some = {0};
    uint64_t discarded;
    sh_selector *selector = consumer->selector;
    int status = selector->select(selector, out->worker, part, &some, error);
    sh__batch_unref(part);
    if (status != SH_OK)
        return status;
    status = sh__buffer_store(chosen, some, &none, &discarded);
    return status == SH_OK ? SH_OK : sh__dispatch_enomem(error);
}

/* Leaves only the events in the queue that the selector chooses; none if it fails. Done at the
 * first ask, before a marker can follow any of them: filtering may leave no event before it. */
static void filter(struct consumer *consumer, sh_dispatch *out)
{
    struct sh__buffer chosen;
    struct sh__markers none = {0};
    sh_error *error = NULL;
    consumer->is_unfiltered = false;
    sh__buffer_init(&chosen, SH_BUFFER_INFINITY, SH_KEEP_LAST);
    while (consumer->queue.count > 0) {
        sh_batch *parts;
        uint32_t n_parts;
        sh__buffer_take(&consumer->queue, consumer->queue.count, &parts, &n_parts, &none);
        for (uint32_t i = 0; i < n_parts; i++) {
            if (error)
                sh__batch_unref(parts[i]);
            else
                choose(consumer, parts[i], &chosen, out, &error);
        }
    }
    sh__buffer_fini(&consumer->queue);
    consumer->queue = chosen;
    if (!error)
        return;
    sh__buffer_clear(&consumer->queue, &none);
    out->fail(out, consumer->sub, error);
}

/* Sends ranges in as few messages as possible; takes them. */
static void send_parts(struct consumer *consumer, const sh_batch *parts, uint32_t n_parts,
                       sh_dispatch *out)
{
    while (n_parts > 0) {
        sh_batch message;
        uint32_t joined;
        if (sh__batch_join(out->worker, parts, n_parts, &message, &joined) != SH_OK) {
            message = parts[0];
            joined = 1;
        }
        out->send(out, consumer->sub, message);
        parts += joined;
        n_parts -= joined;
    }
}

static void replay_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct replay *self = state;
    struct consumer *consumer = consumer_of(sub);
    assert(n > 0);
    if (sh__unlikely(consumer->is_unfiltered))
        filter(consumer, out);
    while (n > 0 && consumer->queue.count > 0) {
        struct sh__markers released = {0};
        sh_batch *parts;
        uint32_t n_parts;
        n -= sh__buffer_take(&consumer->queue, n, &parts, &n_parts, &released);
        send_parts(consumer, parts, n_parts, out);
        release_markers(&released, sub, out);
    }
    if (n == 0)
        return;
    pass_word(sub, consumer->word);
    broadcast->ask(self->broadcast, sub, n, out);
    pass_word(sub, consumer);
}

static int64_t replay_credit(const void *state)
{
    return broadcast->credit(((const struct replay *)state)->broadcast);
}

/* -- events and markers ---------------------------------------------------------------- */

static int64_t replay_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                               sh_error **error)
{
    struct replay *self = state;
    struct sh__markers none = {0};
    uint64_t forgotten;
    int64_t taken = broadcast->dispatch(self->broadcast, batch, out, error);
    if (taken <= 0)
        return taken;
    uint32_t n = (uint32_t)(taken < self->history.size ? taken : self->history.size);
    sh_batch last = sh__batch_part(batch, (uint32_t)taken - n, n);
    if (sh__buffer_store(&self->history, last, &none, &forgotten) != SH_OK)
        return sh__dispatch_enomem(error);
    return taken;
}

/* Before a marker is put after the queued events the selector must tell whether any of them is
 * for the consumer. */
static int reserve_marks(struct replay *self, sh_dispatch *out)
{
    struct sh__link *head = &self->consumers;
    sh__link_each (link, head) {
        struct consumer *consumer = consumer_at(link);
        if (consumer->is_unfiltered)
            filter(consumer, out);
        if (consumer->queue.count > 0 && sh__buffer_reserve(&consumer->queue, 1) != SH_OK)
            return SH_ENOMEM;
    }
    return SH_OK;
}

/* Room for it has been reserved. */
static void mark(struct consumer *consumer, sh_marker *marker, sh_dispatch *out)
{
    if (sh__buffer_mark(&consumer->queue, marker) == SH_OK)
        marker->pending++;
    else /* nothing is replayed to it any more */
        out->notify(out, consumer->sub, marker);
}

/* Replayed events have been sent before, so an info of the producer to itself need not wait for
 * them. */
static int replay_mark(void *state, sh_marker *marker, sh_dispatch *out)
{
    struct replay *self = state;
    bool is_notification = marker->kind == SH__MARKER_NOTIFICATION;
    if (is_notification && reserve_marks(self, out) != SH_OK)
        return SH_ENOMEM;
    marker->pending = 0;
    if (is_notification)
        sh__link_each (link, &self->consumers)
            mark(consumer_at(link), marker, out);
    if (marker->pending == 0)
        out->release(out, marker);
    return SH_OK;
}

/* A producer that ends gracefully lets newcomers catch up. But these events are copies: a
 * consumer that misses them has lost nothing that was for it alone. */
static int64_t replay_held(const void *state, sh_held which)
{
    const struct replay *self = state;
    int64_t n = 0;
    if (which == SH_HELD_ALL)
        return 0;
    sh__link_each (link, &self->consumers)
        n += consumer_at(link)->queue.count;
    return n;
}

static const sh_dispatcher_queue_ops replay_queues = {
    .held = replay_held,
    .mark = replay_mark,
};

const sh_dispatcher_ops sh_dispatcher_replay = {
    .name = "broadcast",
    .size = sizeof(struct replay),
    .init = replay_init,
    .fini = replay_fini,
    .subscribe = replay_subscribe,
    .cancel = replay_cancel,
    .ask = replay_ask,
    .credit = replay_credit,
    .dispatch = replay_dispatch,
    .shares_events = true,
    .reads = SH_READS_SELECTOR,
    .queues = &replay_queues,
};

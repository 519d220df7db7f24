/* SPDX-License-Identifier: MIT
 *
 * The way out of events: callback -> dispatcher -> (leftover) buffer; and of demand:
 * consumer -> dispatcher -> buffer first -> handle_demand for the missing events. The
 * dispatcher says how much it would send now (credit); the stage knows how much it has
 * asked for and not got (owed). New events never overtake buffered ones. */
#include "produce/emit.h"

#include "base/error.h"
#include "events/batch.h"
#include "produce/accumulate.h"
#include "produce/delivery.h"
#include "produce/producer.h"
#include "stage/agenda.h"
#include "stage/ledger.h"
#include "stage/log.h"

/* Offers events (borrowed) to the dispatcher; returns how many it took. */
static uint32_t dispatch(sh_stage *stage, sh_batch batch, int64_t owed)
{
    struct sh__producer *out = stage->out;
    out->dispatch.base.owed = owed;
    sh_error *error = NULL;
    int64_t taken = out->dispatcher->dispatch(out->dispatcher_state, batch,
                                              &out->dispatch.base, &error);
    if (sh__unlikely(taken < 0)) {
        if (!error)
            error =
                sh_error_fmt(SH_REASON_RAISED, (int)taken, NULL, "the dispatcher failed");
        sh__stage_fail(stage, error);
        return 0;
    }
    return (uint32_t)taken;
}

/* -- markers --------------------------------------------------------------------------- */

/* Ends the stage, since a marker must not be dropped silently. */
static void lose_marker(sh_stage *stage, sh_marker *marker)
{
    sh__marker_free(marker);
    sh__stage_fail(stage, sh__error_enomem());
}

static void pass_marker(sh_stage *stage, sh_marker *marker)
{
    struct sh__producer *out = stage->out;
    sh_dispatch *context = &out->dispatch.base;
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    if (queues) {
        if (queues->mark(out->dispatcher_state, marker, context) < 0)
            lose_marker(stage, marker);
        return;
    }
    if (marker->kind == SH__MARKER_NOTIFICATION)
        sh__link_each (link, &stage->consumers)
            context->notify(context, sh__container_of(link, sh_subscription, out.link),
                            marker);
    context->release(context, marker);
}

static void pass_markers(sh_stage *stage, struct sh__markers *released)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)))
        pass_marker(stage, marker);
}

void sh__mark_accumulated(sh_stage *stage, sh_marker *marker, bool is_older)
{
    int status = is_older ? SH_ESTATE : sh__buffer_mark(&stage->out->buffer, marker);
    if (status == SH_ESTATE)
        pass_marker(stage, marker);
    else if (status < 0)
        lose_marker(stage, marker);
}

void sh__mark(sh_stage *stage, sh_marker *marker)
{
    struct sh__producer *out = stage->out;
    if (!marker)
        return;
    if (out->accumulated_head) {
        if (!sh__accumulate(stage, (struct sh__accumulated){.marker = marker}))
            lose_marker(stage, marker);
        return;
    }
    sh__mark_accumulated(stage, marker, false);
}

/* -- buffer ---------------------------------------------------------------------------- */

void sh__discard_buffer(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    const sh_dispatcher_queue_ops *queues = out->dispatcher->queues;
    struct sh__markers released = {0};
    int64_t n = 0;
    if (queues && queues->clear)
        n = queues->clear(out->dispatcher_state, &out->dispatch.base);
    n += sh__buffer_clear(&out->buffer, &released);
    sh__discarded_no_consumers(stage, (uint64_t)n);
    pass_markers(stage, &released);
}

static bool is_unwanted(const sh_stage *stage)
{
    return stage->out->discard_when_no_consumers && sh__link_is_empty(&stage->consumers);
}

/* Counts n events that the buffer has dropped. */
static void drop(sh_stage *stage, uint64_t n)
{
    struct sh__producer *out = stage->out;
    if (!sh__discard_full(stage, n, "buffer", out->buffer.size))
        return;
    if (out->dropped == 0)
        sh__log(stage->worker->host, SH_LOG_INFO, SH_LOG_BUFFER_FULL, stage, NULL,
                "the buffer of %lld is full: it drops events from now on",
                (long long)out->buffer.size);
    out->dropped += n;
}

/* Reports when a buffer that has dropped events has room again: half of its size, so that a nearly
 * full buffer is not reported with each batch. */
static void check_room(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    if (out->buffer.count > out->buffer.size / 2)
        return;
    sh__log(stage->worker->host, SH_LOG_INFO, SH_LOG_BUFFER_FULL, stage, NULL,
            "the buffer of %lld has room again: it has dropped %llu events",
            (long long)out->buffer.size, (unsigned long long)out->dropped);
    out->dropped = 0;
}

/* Buffers a batch for which there is no demand now. */
static void store(sh_stage *stage, sh_batch batch)
{
    struct sh__producer *out = stage->out;
    if (is_unwanted(stage)) {
        sh__discarded_no_consumers(stage, batch.n);
        sh_batch_unref(batch);
        return;
    }
    struct sh__markers released = {0};
    uint64_t n = 0;
    uint32_t events = batch.n;
    if (sh__buffer_store(&out->buffer, batch, &released, &n) < 0) {
        sh__worker_count_unfinished(stage->worker, stage, events, "out of memory");
        sh__stage_fail(stage, sh__error_enomem());
        return;
    }
    if (n > 0)
        drop(stage, n);
    pass_markers(stage, &released);
}

static void put_back(sh_stage *stage, sh_batch batch, uint32_t delivery)
{
    uint32_t events = batch.n;
    if (sh__buffer_return(&stage->out->buffer, batch, delivery) < 0)
        sh__worker_count_unfinished(stage->worker, stage, events, "out of memory");
}

/* Returns events that the dispatcher did not take to the head of the buffer: the rest of `batch`
 * (borrowed), then the parts after it, then the markers that followed them all. */
static void return_unsent(sh_stage *stage, sh_batch batch, uint32_t taken,
                          const sh_batch *parts, uint32_t n_parts,
                          struct sh__markers *released)
{
    uint32_t delivery = stage->out->dispatch.base.delivery;
    sh__buffer_put_back_markers(&stage->out->buffer, released);
    while (n_parts > 0)
        put_back(stage, parts[--n_parts], delivery);
    if (taken < batch.n)
        put_back(stage, sh_batch_slice(batch, taken, batch.n - taken), delivery);
}

/* Sends ranges, joined where possible; returns the number of events dispatched. */
static int64_t send_parts(sh_stage *stage, const sh_batch *parts, uint32_t n_parts,
                          struct sh__markers *released)
{
    int64_t sent = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < n_parts; i += used) {
        sh_batch batch = {0};
        if (sh__batch_join(stage->worker, parts + i, n_parts - i, &batch, &used) < 0) {
            return_unsent(stage, batch, 0, parts + i, n_parts - i, released);
            return sent;
        }
        uint32_t taken = dispatch(stage, batch, sh__is_emptying(stage) ? batch.n : 0);
        sent += taken;
        bool all = taken == batch.n;
        if (!all)
            return_unsent(stage, batch, taken, parts + i + used, n_parts - i - used,
                          released);
        sh_batch_unref(batch);
        if (!all)
            return sent;
    }
    return sent;
}

/* Hands on buffered events, up to the dispatcher's credit. */
static int64_t drain_buffer(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    int64_t sent = 0;
    while (out->buffer.count > 0) {
        int64_t credit = sh__is_emptying(stage) ? out->buffer.count : sh__credit(out);
        if (credit <= 0)
            break;
        sh_batch *parts;
        uint32_t n_parts;
        struct sh__markers released = {0};
        sh__buffer_take(&out->buffer, credit, &parts, &n_parts, &released);
        out->dispatch.base.delivery = out->buffer.taken_delivery;
        int64_t now = send_parts(stage, parts, n_parts, &released);
        out->dispatch.base.delivery = 0;
        pass_markers(stage, &released);
        sent += now;
        if (now == 0)
            break;
    }
    if (sh__unlikely(out->dropped > 0))
        check_room(stage);
    return sent;
}

/* -- demand ---------------------------------------------------------------------------- */

/* Moves ranges taken from the buffer to the accumulated items; without memory they are lost, and
 * counted. */
static void accumulate_parts(sh_stage *stage, const sh_batch *parts, uint32_t n_parts)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < n_parts; i += used) {
        sh_batch batch = {0};
        if (sh__batch_join(stage->worker, parts + i, n_parts - i, &batch, &used) < 0) {
            batch = parts[i];
            used = 1;
        }
        if (sh__accumulate_older(
                stage, (struct sh__accumulated){
                           .events = batch, .delivery = stage->out->buffer.taken_delivery}))
            continue;
        sh__worker_count_unfinished(stage->worker, stage, batch.n, "out of memory");
        sh_batch_unref(batch);
    }
}

/* In demand mode "accumulate", keeps buffered events that could go now and the missing demand,
 * in order. */
static void accumulate_settled(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    int64_t room = sh__credit(out) - out->accumulated_from_buffer;
    while (room > 0 && out->buffer.count > 0) {
        sh_batch *parts;
        uint32_t n_parts;
        struct sh__markers released = {0};
        room -= sh__buffer_take(&out->buffer, room, &parts, &n_parts, &released);
        accumulate_parts(stage, parts, n_parts);
        sh_marker *marker;
        while ((marker = sh__markers_pop(&released)))
            if (!sh__accumulate_older(stage, (struct sh__accumulated){.marker = marker}))
                lose_marker(stage, marker);
    }
    int64_t missing = sh__credit(out) - out->accumulated_from_buffer - out->owed;
    if (missing > 0 && sh__accumulate(stage, (struct sh__accumulated){.demand = missing}))
        out->owed += missing;
}

static void ask_for(sh_stage *stage, int64_t n)
{
    if (stage->ops->handle_demand)
        sh__stage_push_demand(stage, n);
}

void sh__settle(sh_stage *stage)
{
    struct sh__producer *out = stage->out;
    if (stage->phase >= SH__PHASE_ENDING)
        return;
    if (sh__unlikely(out->is_accumulating || out->accumulated_head)) {
        if (out->is_accumulating)
            accumulate_settled(stage);
        return;
    }
    if (out->buffer.count > 0)
        drain_buffer(stage);
    int64_t missing = sh__credit(out) - out->owed;
    if (missing > 0) {
        out->owed += missing;
        ask_for(stage, missing);
    }
    if (sh__unlikely(out->polling_ms > 0 && out->owed > 0))
        sh__producer_start_polling(stage);
}

void sh__serve(sh_stage *stage, int64_t n)
{
    struct sh__producer *out = stage->out;
    int64_t sent = drain_buffer(stage);
    /* Events that stay buffered mean that others before them have met this demand already. */
    int64_t missing = sent < n && out->buffer.count == 0 ? n - sent : 0;
    int64_t met = n - missing;
    out->owed -= met < out->owed ? met : out->owed;
    if (missing > 0)
        ask_for(stage, missing);
}

/* -- emission -------------------------------------------------------------------------- */

/* Emits events of which `answered` were owed; takes them. */
static void emit(sh_stage *stage, sh_batch batch, int64_t answered)
{
    struct sh__producer *out = stage->out;
    if (sh__unlikely(out->buffer.count > 0 || is_unwanted(stage))) {
        store(stage, batch);
    } else {
        uint32_t taken = dispatch(stage, batch, answered);
        if (taken == batch.n)
            sh_batch_unref(batch);
        else if (taken == 0)
            store(stage, batch);
        else {
            store(stage, sh_batch_slice(batch, taken, batch.n - taken));
            sh_batch_unref(batch);
        }
    }
    if (out->buffer.count > 0 || sh__credit(out) > out->owed || out->polling_ms > 0)
        sh__settle(stage);
}

/* Events emitted while accumulated ones are replayed go after them. */
void sh__emit(sh_stage *stage, sh_batch batch)
{
    struct sh__producer *out = stage->out;
    if (sh__likely(!out->is_accumulating && !out->accumulated_head))
        sh__emit_accumulated(stage, batch);
    else if (!sh__accumulate(stage, (struct sh__accumulated){.events = batch}))
        sh_batch_unref(batch);
}

/* For the only consumer of a demand dispatcher, which has asked for all the events: does what
 * emit() would do. */
static bool emit_in_lane(sh_stage *stage, sh_batch batch)
{
    struct sh__producer *out = stage->out;
    struct sh__lane *lane = out->lane;
    if (!lane || !lane->sub || batch.n > lane->credit || out->buffer.count > 0)
        return false;
    out->owed -= out->owed < batch.n ? out->owed : batch.n;
    lane->credit -= batch.n;
    sh__deliver_events(stage, lane->sub, batch);
    if (lane->credit > (uint64_t)out->owed || out->polling_ms > 0)
        sh__settle(stage);
    return true;
}

void sh__emit_accumulated(sh_stage *stage, sh_batch batch)
{
    if (emit_in_lane(stage, batch))
        return;
    struct sh__producer *out = stage->out;
    int64_t answered = out->owed < batch.n ? out->owed : batch.n;
    out->owed -= answered;
    emit(stage, batch, answered);
}

void sh__emit_combined(sh_stage *stage, sh_batch batch)
{
    struct sh__producer *out = stage->out;
    if (sh__likely(!out->is_accumulating && !out->accumulated_head))
        emit(stage, batch, 0);
    else
        sh__emit(stage, batch);
}

/* Puts all accumulated items that came from the buffer back at its head. */
static void return_accumulated(sh_stage *stage)
{
    struct sh__accumulated *item = sh__accumulated_pop_older(stage->out);
    while (item) {
        struct sh__accumulated *next = item->next;
        struct sh__markers markers = {0};
        put_back(stage, item->events, item->delivery);
        item->events = (sh_batch){0};
        if (item->marker)
            sh__markers_push(&markers, item->marker);
        if (markers.head &&
            sh__buffer_put_back_markers(&stage->out->buffer, &markers) == SH_OK)
            item->marker = NULL;
        sh__accumulated_free(item);
        item = next;
    }
}

int sh__return_to_buffer(sh_stage *stage, const sh_returned *parts, uint32_t n)
{
    struct sh__buffer *buffer = &stage->out->buffer;
    if (sh__buffer_reserve(buffer, n) < 0)
        return SH_ENOMEM;
    return_accumulated(stage);
    while (n > 0) {
        n--;
        put_back(stage, parts[n].events, parts[n].delivery);
    }
    return SH_OK;
}

void sh__emit_buffered(sh_stage *stage, sh_batch batch, uint32_t delivery)
{
    stage->out->dispatch.base.delivery = delivery;
    uint32_t taken = dispatch(stage, batch, 0);
    stage->out->dispatch.base.delivery = 0;
    if (taken < batch.n) { /* a consumer has left */
        return_accumulated(stage);
        put_back(stage, sh_batch_slice(batch, taken, batch.n - taken), delivery);
    }
    sh_batch_unref(batch);
    sh__settle(stage);
}

int64_t sh__producer_held(const sh_stage *stage, sh_held which)
{
    const struct sh__producer *out = stage->out;
    int64_t held = out->buffer.count + out->accumulated_events;
    if (out->dispatcher && out->dispatcher->queues)
        held += out->dispatcher->queues->held(out->dispatcher_state, which);
    return held;
}

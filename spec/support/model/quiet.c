/* SPDX-License-Identifier: MIT
 *
 * What must hold whenever no stage has anything to do. One worker only: it looks into
 * the stages. */
#include "consume/producer_consumer.h"
#include "model.h"
#include "produce/emit.h"
#include "produce/producer.h"
#include "stage/stage.h"

/* Whether the stage runs and no callback of it waits. */
static bool is_steady(const struct actor *actor)
{
    return actor->has_begun && !actor->has_ended && actor->job.kind == JOB_NONE &&
           actor->stage->phase == SH__PHASE_RUNNING;
}

/* -- one stage ------------------------------------------------------------------------- */

static int64_t queued_in_partitions(const struct actor *actor)
{
    int64_t n = 0;
    for (int p = 0; p < PLAN_MAX_PARTITIONS; p++)
        n += actor->partition_taken[p] - actor->partition_sent[p];
    return n;
}

/* ... that count against the demand of others. */
static int64_t charged_in_partitions(const struct actor *actor)
{
    int64_t n = 0;
    for (int p = 0; p < PLAN_MAX_PARTITIONS; p++) {
        int64_t above =
            actor->partition_taken[p] - actor->partition_sent[p] - actor->plan->limit;
        n += above > 0 ? above : 0;
    }
    return n;
}

/* How much the dispatcher should be able to send, given the asks and the events sent. */
static int64_t expected_credit(const struct actor *actor)
{
    int64_t sum = 0, least = INT64_MAX;
    for (const struct side *side = actor->consumers; side; side = side->next) {
        int64_t open = side->asked - (int64_t)side->events.n;
        if (!side->is_dispatching)
            continue;
        sum += open;
        least = open < least ? open : least;
    }
    if (actor->plan->spread == SPREAD_BROADCAST)
        return least == INT64_MAX ? 0 : least;
    if (actor->plan->spread == SPREAD_PARTITION)
        sum -= charged_in_partitions(actor);
    return sum > 0 ? sum : 0;
}

/* Every event that was emitted is somewhere, once. */
static void check_conservation(const struct actor *actor)
{
    const struct sh__producer *out = actor->stage->out;
    sh_stage_stats stats;
    sh_stage_get_stats(actor->stage, &stats);
    int64_t discarded = (int64_t)(stats.discarded_full + stats.discarded_no_consumers);
    int64_t held = out->buffer.count + out->accumulated_events;
    if (actor->emitted != actor->taken + discarded + held)
        model_fail(actor->run, "s%d: emitted %d: dispatched %d, discarded %d, holds %d",
                   actor->index, (int)actor->emitted, (int)actor->taken, (int)discarded,
                   (int)held);
    if ((int64_t)stats.discarded_full != actor->discarded ||
        (int64_t)stats.discarded_none != actor->skipped - actor->bad ||
        (int64_t)stats.events_out != actor->sent)
        model_fail(actor->run,
                   "s%d: counts full %d none %d out %d, it was full %d none %d out %d",
                   actor->index, (int)stats.discarded_full, (int)stats.discarded_none,
                   (int)stats.events_out, (int)actor->discarded,
                   (int)(actor->skipped - actor->bad), (int)actor->sent);
    if (stats.buffered != held + queued_in_partitions(actor))
        model_fail(actor->run, "s%d: counts %d buffered, it is %d", actor->index,
                   (int)stats.buffered, (int)(held + queued_in_partitions(actor)));
}

/* No demand is stuck: all events that could be sent have been, and the rest is asked for. */
static void check_demand(const struct actor *actor)
{
    const sh_stage *stage = actor->stage;
    const struct sh__producer *out = stage->out;
    int64_t credit = sh__credit(out);
    if (credit != expected_credit(actor))
        model_fail(actor->run, "s%d: credit is %d, should be %d", actor->index, (int)credit,
                   (int)expected_credit(actor));
    if (out->is_accumulating || out->accumulated_head)
        return;
    if (credit > 0 && out->buffer.count > 0)
        model_fail(actor->run, "s%d: %d are asked for and %d buffered", actor->index,
                   (int)credit, (int)out->buffer.count);
    if (credit > 0 && stage->input.head)
        model_fail(actor->run, "s%d: %d are asked for and input is queued", actor->index,
                   (int)credit);
    if (stage->ops->handle_demand && stage->phase == SH__PHASE_RUNNING &&
        actor->owed < credit)
        model_fail(actor->run, "s%d: %d are asked for, handle_demand owes only %d",
                   actor->index, (int)credit, (int)actor->owed);
}

static void check_stage(const struct actor *actor)
{
    const sh_stage *stage = actor->stage;
    bool should_end = actor->run->was_told_to_end[actor->index] || actor->is_licensed;
    if (actor->has_ended) {
        if (!should_end)
            model_fail(actor->run, "s%d: ended (%s) though nothing told it to",
                       actor->index, actor->reason);
        return;
    }
    if (!actor->has_begun)
        model_fail(actor->run, "s%d: did not begin", actor->index);
    if (stage->out)
        check_conservation(actor);
    if (actor->job.kind != JOB_NONE)
        return;
    if (stage->mailbox.head)
        model_fail(actor->run, "s%d: has mail and does not take it", actor->index);
    if (should_end && stage->phase == SH__PHASE_RUNNING)
        model_fail(actor->run, "s%d: goes on though it was told to end", actor->index);
    if (stage->phase == SH__PHASE_LEAVING && sh__producer_held(stage, SH_HELD_ALL) == 0 &&
        sh__producer_held(stage, SH_HELD_PRESENT) == 0 && sh__pump_is_empty(stage))
        model_fail(actor->run, "s%d: holds nothing and does not end", actor->index);
    if (stage->phase >= SH__PHASE_ENDING)
        model_fail(actor->run, "s%d: does not come to its end", actor->index);
    if (stage->out)
        check_demand(actor);
}

/* -- one subscription ------------------------------------------------------------------ */

/* Events of a subscription in the input queue of a producer_consumer. */
static int64_t queued_input(const sh_stage *stage, const sh_subscription *sub)
{
    int64_t n = 0;
    for (struct sh__message *message = stage->input.head; message; message = message->next)
        if (message->kind == SH__EVENTS && message->sub == sub)
            n += message->batch.n;
    return n;
}

static bool has_number(const struct numbers *numbers, int64_t number)
{
    for (size_t i = 0; i < numbers->n; i++)
        if (numbers->items[i] == number)
            return true;
    return false;
}

/* Every notification for the consumer has come, unless it stands behind events that are
 * still held. */
static void check_notes(const struct actor *producer, const struct side *out,
                        const struct side *in)
{
    const struct sh__producer *held = producer->stage->out;
    const struct plan_stage *plan = in->actor->plan;
    bool hears = plan->kind == SH_CONSUMER || plan->hears;
    bool is_partitioned = producer->plan->spread == SPREAD_PARTITION;
    if (!hears || held->buffer.length > 0 || held->accumulated_head ||
        in->actor->stage->input.head)
        return;
    if (is_partitioned && producer->partition_taken[out->partition] !=
                              producer->partition_sent[out->partition])
        return;
    if (producer->plan->spread == SPREAD_BROADCAST && producer->plan->replay > 0 &&
        out->asked == (int64_t)out->events.n)
        return; /* it may be behind events that are still to be replayed */
    for (size_t i = 0; i < out->notes.n; i++)
        if (!has_number(&in->notes, out->notes.items[i]))
            model_fail(producer->run, "s%d: did not get notification %d of s%d",
                       in->actor->index, (int)MODEL_NOTE_NUMBER(out->notes.items[i]),
                       producer->index);
}

static void check_open(const struct actor *producer, const struct side *out,
                       const struct side *in)
{
    struct run *run = producer->run;
    int me = in->actor->index;
    int64_t queued = queued_input(in->actor->stage, in->sub);
    if (out->asked != in->asked)
        model_fail(run, "s%d: asked s%d for %d, it knows of %d", me, producer->index,
                   (int)in->asked, (int)out->asked);
    if ((int64_t)out->events.n != (int64_t)in->events.n + queued)
        model_fail(run, "s%d: sent %d to s%d, it got %d and has %d queued", producer->index,
                   (int)out->events.n, me, (int)in->events.n, (int)queued);
    if (producer->plan->spread == SPREAD_PARTITION && out->asked > (int64_t)out->events.n &&
        producer->partition_taken[out->partition] !=
            producer->partition_sent[out->partition])
        model_fail(run, "s%d: holds events of partition %u though s%d asks for them",
                   producer->index, out->partition, me);
    check_notes(producer, out, in);
}

/* Both sides agree whether there is a subscription, from the side of `side`. */
static void check_peer(const struct actor *actor, const struct side *side)
{
    const struct actor *peer = &actor->run->actors[side->peer];
    struct side *other = side_find(side->is_consumer ? peer->consumers : peer->producers,
                                   sh_subscription_id(side->sub));
    bool is_behind_input = side->is_consumer && actor->stage->input.head;
    if (side->is_cancelled || is_behind_input)
        return;
    if (peer->has_ended) {
        model_fail(actor->run, "s%d: does not know of the end of s%d", actor->index,
                   peer->index);
        return;
    }
    if (!is_steady(peer) || (!side->is_consumer && peer->stage->input.head))
        return;
    if (!other || other->is_cancelled)
        model_fail(actor->run, "s%d: is subscribed with s%d, which %s", actor->index,
                   peer->index, other ? "has left" : "does not know");
    else if (!side->is_consumer)
        check_open(actor, side, other);
}

void check_quiet(struct run *run)
{
    for (int i = 0; i < run->n_actors; i++) {
        const struct actor *actor = &run->actors[i];
        if (!actor->stage)
            continue;
        check_stage(actor);
        if (!is_steady(actor))
            continue;
        for (const struct side *side = actor->consumers; side; side = side->next)
            check_peer(actor, side);
        for (const struct side *side = actor->producers; side; side = side->next)
            check_peer(actor, side);
    }
}

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

void numbers_add(struct numbers *numbers, int64_t number)
{
    if (numbers->n == numbers->capacity) {
        numbers->capacity = numbers->capacity ? 2 * numbers->capacity : 16;
        numbers->items =
            realloc(numbers->items, numbers->capacity * sizeof *numbers->items);
        if (!numbers->items)
            abort();
    }
    numbers->items[numbers->n++] = number;
}

/* Stages are called s0, s1, ... */
static int index_of(const sh_stage *stage)
{
    return atoi(sh_stage_name(stage) + 1);
}

struct side *side_new(struct actor *actor, sh_subscription *sub, bool is_consumer)
{
    struct side *side = calloc(1, sizeof *side);
    if (!side)
        abort();
    side->actor = actor;
    side->sub = sh_subscription_ref(sub);
    side->is_consumer = is_consumer;
    side->reason = "";
    side->peer = index_of(is_consumer ? sh_subscription_producer(sub)
                                      : sh_subscription_consumer(sub));
    side->origin = -1;
    struct side **list = is_consumer ? &actor->producers : &actor->consumers;
    side->next = *list;
    *list = side;
    sh_role whose = is_consumer ? SH_ROLE_CONSUMER : SH_ROLE_PRODUCER;
    if (*sh_subscription_slot(sub, whose))
        model_fail(actor->run, "s%d: handle_subscribe came twice for a subscription",
                   actor->index);
    *sh_subscription_slot(sub, whose) = side;
    return side;
}

struct side *side_of(sh_subscription *sub, sh_role whose)
{
    return *sh_subscription_slot(sub, whose);
}

struct side *side_pick(struct side *list, uint32_t k)
{
    uint32_t n = 0;
    for (struct side *side = list; side; side = side->next)
        n += !side->is_cancelled;
    k = n ? k % n : 0;
    for (struct side *side = list; side; side = side->next)
        if (!side->is_cancelled && k-- == 0)
            return side;
    return NULL;
}

struct side *side_find(struct side *list, uint64_t id)
{
    while (list && sh_subscription_id(list->sub) != id)
        list = list->next;
    return list;
}

bool side_selects(const struct side *side, int64_t event)
{
    return side->select == 0 || MODEL_EVENT_N(event) % side->select != side->reject;
}

/* -- what a consumer gets -------------------------------------------------------------- */

/* The actor whose notifications the producer_consumer that `side` is subscribed to
 * passes on; NULL when they may come on several ways. Reads other actors: for one worker
 * only. */
static struct actor *only_origin(const struct side *side)
{
    struct run *run = side->actor->run;
    struct actor *passer = &run->actors[side->peer];
    struct side *up = run->workers || passer->plan->hears ? NULL : passer->producers;
    return up && !up->next ? &run->actors[up->peer] : NULL;
}

/* Where an event made by a producer_consumer comes from: its place at the producer
 * before it. */
static int64_t origin_n(const struct side *side, int64_t event, const struct actor *origin)
{
    const struct actor *passer = &side->actor->run->actors[side->peer];
    int64_t from = passer->origins.items[MODEL_EVENT_N(event) - 1];
    return from && MODEL_EVENT_STAGE(from) == origin->index ? MODEL_EVENT_N(from) : 0;
}

void side_receive(struct side *side, int64_t event)
{
    struct run *run = side->actor->run;
    int64_t n = MODEL_EVENT_N(event);
    int64_t last = side->events.n ? side->events.items[side->events.n - 1] : 0;
    int me = side->actor->index;
    if (MODEL_EVENT_STAGE(event) != side->peer)
        model_fail(run, "s%d: got an event of s%d from s%d", me, MODEL_EVENT_STAGE(event),
                   side->peer);
    else if (event <= last)
        model_fail(run, "s%d: got event %d of s%d after %d", me, (int)n, side->peer,
                   (int)MODEL_EVENT_N(last));
    else if (n <= side->after)
        model_fail(run, "s%d: got event %d of s%d after a notification that follows %d", me,
                   (int)n, side->peer, (int)side->after);
    numbers_add(&side->events, event);
    struct actor *origin = only_origin(side);
    int64_t from = origin ? origin_n(side, event, origin) : 0;
    if (from && from <= side->passed_after)
        model_fail(run,
                   "s%d: got event %d of s%d after a notification passed on by s%d that "
                   "follows %d",
                   me, (int)from, origin->index, side->peer, (int)side->passed_after);
    if (from > side->origin)
        side->origin = from;
}

static void receive_own(struct side *side, int64_t note)
{
    struct run *run = side->actor->run;
    int row = MODEL_NOTE_TOLD(note);
    int64_t number = MODEL_NOTE_NUMBER(note), after = MODEL_NOTE_AFTER(note);
    int64_t last =
        side->events.n ? MODEL_EVENT_N(side->events.items[side->events.n - 1]) : 0;
    int me = side->actor->index;
    if (number <= side->last_note[row])
        model_fail(run, "s%d: got notification %d of s%d after %d", me, (int)number,
                   side->peer, (int)side->last_note[row]);
    else if (row == 0 && last > after)
        model_fail(run, "s%d: got event %d of s%d before a notification that follows %d",
                   me, (int)last, side->peer, (int)after);
    side->last_note[row] = number;
    if (row == 0)
        side->after = after;
    numbers_add(&side->notes, note);
}

void side_receive_note(struct side *side, int64_t note)
{
    if (MODEL_NOTE_STAGE(note) == side->peer) {
        receive_own(side, note);
        return;
    }
    struct actor *origin = only_origin(side);
    if (!origin || origin->index != MODEL_NOTE_STAGE(note) || MODEL_NOTE_TOLD(note))
        return;
    if (side->origin > MODEL_NOTE_AFTER(note))
        model_fail(side->actor->run,
                   "s%d: got event %d of s%d before a notification passed on by s%d that "
                   "follows %d",
                   side->actor->index, (int)side->origin, origin->index, side->peer,
                   (int)MODEL_NOTE_AFTER(note));
    if (side->passed_after < MODEL_NOTE_AFTER(note))
        side->passed_after = MODEL_NOTE_AFTER(note);
}

/* -- the end --------------------------------------------------------------------------- */

static void free_sides(struct side *side)
{
    while (side) {
        struct side *next = side->next;
        sh_subscription_unref(side->sub);
        free(side->events.items);
        free(side->notes.items);
        free(side);
        side = next;
    }
}

void actor_fini(struct actor *actor)
{
    free_sides(actor->consumers);
    free_sides(actor->producers);
    free(actor->origins.items);
    free(actor->kept.items);
    free(actor->job.events.items);
    sh_stage_unref(actor->stage);
}

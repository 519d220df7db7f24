/* SPDX-License-Identifier: MIT
 *
 * The items that a producer holds back in demand mode "accumulate", in the order of replay: first
 * events that were buffered before (older than all emitted since), then emissions and demands as
 * they came. */
#include "produce/accumulate.h"

#include "base/error.h"
#include "produce/producer.h"
#include "stage/agenda.h"

static struct sh__accumulated *item_new(sh_stage *stage, struct sh__accumulated fields)
{
    struct sh__accumulated *item = sh_malloc(sizeof *item);
    if (!item) {
        sh__stage_fail(stage, sh__error_enomem());
        return NULL;
    }
    *item = fields;
    stage->out->accumulated_events += fields.events.n;
    if (fields.is_older)
        stage->out->accumulated_from_buffer += fields.events.n;
    return item;
}

static void insert(struct sh__producer *out, struct sh__accumulated **place,
                   struct sh__accumulated *item)
{
    item->next = *place;
    *place = item;
    if (!item->next)
        out->accumulated_tail = item;
}

bool sh__accumulate(sh_stage *stage, struct sh__accumulated fields)
{
    struct sh__producer *out = stage->out;
    struct sh__accumulated *item = item_new(stage, fields);
    if (!item)
        return false;
    insert(out,
           out->accumulated_tail ? &out->accumulated_tail->next : &out->accumulated_head,
           item);
    return true;
}

bool sh__accumulate_older(sh_stage *stage, struct sh__accumulated fields)
{
    struct sh__producer *out = stage->out;
    fields.is_older = true;
    struct sh__accumulated *item = item_new(stage, fields);
    if (!item)
        return false;
    insert(out,
           out->accumulated_older ? &out->accumulated_older->next : &out->accumulated_head,
           item);
    out->accumulated_older = item;
    return true;
}

struct sh__accumulated *sh__accumulated_pop(struct sh__producer *out)
{
    struct sh__accumulated *item = out->accumulated_head;
    if (!item)
        return NULL;
    out->accumulated_head = item->next;
    if (!item->next)
        out->accumulated_tail = NULL;
    if (item == out->accumulated_older)
        out->accumulated_older = NULL;
    out->accumulated_events -= item->events.n;
    if (item->is_older)
        out->accumulated_from_buffer -= item->events.n;
    return item;
}

struct sh__accumulated *sh__accumulated_pop_older(struct sh__producer *out)
{
    struct sh__accumulated *newest_first = NULL;
    while (out->accumulated_older) {
        struct sh__accumulated *item = sh__accumulated_pop(out);
        item->next = newest_first;
        newest_first = item;
    }
    return newest_first;
}

void sh__accumulated_free(struct sh__accumulated *item)
{
    sh_batch_unref(item->events);
    if (item->marker)
        sh__marker_free(item->marker);
    sh_free(item);
}

/* SPDX-License-Identifier: MIT */
#include "events/marker.h"

#include "base/alloc.h"
#include "events/batch.h"

sh_marker *sh__marker_new(enum sh__marker_kind kind, sh_batch message)
{
    sh_marker *marker = sh__calloc(1, sizeof *marker);
    if (!marker) {
        sh__batch_unref(message);
        return NULL;
    }
    marker->kind = kind;
    marker->message = message;
    return marker;
}

void sh__marker_free(sh_marker *marker)
{
    if (!marker)
        return;
    sh__batch_unref(marker->message);
    sh_free(marker);
}

bool sh_marker_is_notification(const sh_marker *marker)
{
    return marker->kind == SH__MARKER_NOTIFICATION;
}

void sh__markers_push(struct sh__markers *list, sh_marker *marker)
{
    marker->next = NULL;
    if (list->tail)
        list->tail->next = marker;
    else
        list->head = marker;
    list->tail = marker;
}

sh_marker *sh__markers_pop(struct sh__markers *list)
{
    sh_marker *marker = list->head;
    if (!marker)
        return NULL;
    list->head = marker->next;
    if (!list->head)
        list->tail = NULL;
    marker->next = NULL;
    return marker;
}

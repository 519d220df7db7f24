/* SPDX-License-Identifier: MIT
 *
 * A marker is an in-band message of a producer: an info to the stage itself or a
 * notification to its consumers. It keeps its place among events in buffers and partition
 * queues. */
#ifndef SH_MARKER_H
#define SH_MARKER_H

#include "stagehost/dispatcher.h"

enum sh__marker_kind { SH__MARKER_INFO, SH__MARKER_NOTIFICATION };

struct sh_marker {
    sh_marker *next; /* in a buffer or a list of released markers */
    enum sh__marker_kind kind;
    uint32_t pending; /* number of partition queues still to pass (dispatch/partition.c) */
    sh_batch message; /* owned */
    sh_from from;     /* unused by buffers and dispatchers */
};

/* Takes `message`. NULL when out of memory (the message is dropped). */
sh_marker *sh__marker_new(enum sh__marker_kind kind, sh_batch message);
void sh__marker_free(sh_marker *marker); /* NULL is allowed */

/* A FIFO of markers. All zero is empty. */
struct sh__markers {
    sh_marker *head, *tail;
};

void sh__markers_push(struct sh__markers *list, sh_marker *marker);
sh_marker *sh__markers_pop(struct sh__markers *list); /* NULL if empty */

#endif

/* SPDX-License-Identifier: MIT
 *
 * The events, markers and demand that a producer holds back in demand mode "accumulate". */
#ifndef SH_ACCUMULATE_H
#define SH_ACCUMULATE_H

#include "stagehost/dispatcher.h"

struct sh__producer;

/* One item, in the order of its replay. */
struct sh__accumulated {
    struct sh__accumulated *next;
    int64_t demand;    /* > 0: a demand */
    sh_batch events;   /* else events (owned) ... */
    sh_marker *marker; /* ... or a marker (owned) */
    bool is_older;     /* it came from the buffer */
    uint32_t delivery; /* number of delivery, for events that came back */
};

/* Adds an item after all others; takes its contents. False: out of memory, the stage fails, and
 * the contents stay the caller's. */
bool sh__accumulate(sh_stage *stage, struct sh__accumulated fields);
/* Like sh__accumulate, for an item from the buffer, which goes before all items emitted since. */
bool sh__accumulate_older(sh_stage *stage, struct sh__accumulated fields);
/* Takes out the first item; NULL if there is none. */
struct sh__accumulated *sh__accumulated_pop(struct sh__producer *out);
/* Takes out all items that came from the buffer, as a list with the newest first. */
struct sh__accumulated *sh__accumulated_pop_older(struct sh__producer *out);
/* Frees an item that was taken out, with its contents. */
void sh__accumulated_free(struct sh__accumulated *item);

#endif

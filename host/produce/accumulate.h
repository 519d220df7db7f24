/* SPDX-License-Identifier: MIT
 *
 * What a producer holds back in demand mode "accumulate". */
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
    bool is_older;     /* it was in the buffer before */
    uint32_t delivery; /* of events that came back */
};

/* Adds an item behind all that is accumulated; takes what it holds. False: out of memory, the
 * stage fails, and what the item holds stays the caller's. */
bool sh__accumulate(sh_stage *stage, struct sh__accumulated fields);
/* Adds what comes from the buffer before all that was emitted since; else like sh__accumulate. */
bool sh__accumulate_older(sh_stage *stage, struct sh__accumulated fields);
/* Takes out the first item; NULL: there is none. */
struct sh__accumulated *sh__accumulated_pop(struct sh__producer *out);
/* Takes out all that came from the buffer: a list, the newest first. */
struct sh__accumulated *sh__accumulated_pop_older(struct sh__producer *out);
/* Frees an item that was taken out, and what it holds. */
void sh__accumulated_free(struct sh__accumulated *item);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Packed strings: a list of strings in one block, bytes and their places, for lines of text and
 * other byte strings. A block never changes once it is filled, may be used on any thread, and goes
 * from worker to worker by reference: no string is copied or made on the way. A callback in Lua
 * gets such events as a table of strings, which is made when they are delivered to it. */
#ifndef STAGEHOST_STRINGS_H
#define STAGEHOST_STRINGS_H

#include "stagehost/events.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- blocks ---------------------------------------------------------------------------- */

/* A block, counted with atomics. All functions of this part: any thread. */
typedef struct sh_strings sh_strings;

/* The place of a string among the bytes of its block. Places may overlap, and bytes may belong to
 * no string. */
typedef struct sh_span {
    uint32_t start, len;
} sh_span;

/* A block has at most this many bytes, and fewer strings. */
#define SH_STRINGS_MAX UINT32_MAX

/* A block for n strings and n_bytes bytes with one reference. Its maker writes the places to
 * *spans and the bytes to *bytes, then calls sh_strings_seal(), before anyone else sees it. NULL:
 * out of memory, or more than SH_STRINGS_MAX bytes. */
sh_strings *sh_strings_new(uint32_t n, size_t n_bytes, sh_span **spans, char **bytes);
void sh_strings_seal(sh_strings *strings);
/* A block with copies of n strings, at spans[i] of `bytes`, and no other bytes. NULL: as above. */
sh_strings *sh_strings_copy(const char *bytes, const sh_span *spans, uint32_t n);
/* A block of n other strings of the same bytes, which it keeps alive. NULL: out of memory. */
sh_strings *sh_strings_derive(sh_strings *of, const sh_span *spans, uint32_t n);

sh_strings *sh_strings_ref(sh_strings *strings);
void sh_strings_unref(sh_strings *strings); /* NULL is allowed */

/* A look at consecutive strings: string i is spans[i].len bytes at bytes + spans[i].start. Borrowed
 * of the block. */
typedef struct sh_strings_view {
    const char *bytes;
    const sh_span *spans;
    uint32_t n;
} sh_strings_view;

/* All strings of a block. */
sh_strings_view sh_strings_see(const sh_strings *strings);

/* -- blocks as events ------------------------------------------------------------------ */

/* The lists whose events are strings of a block. What waits, in a buffer, a queue or
 * unacknowledged, keeps at most four times its own bytes alive: otherwise it is copied out. */
extern const sh_list_ops sh_strings_ops;

/* Makes an owned batch of the strings [first, first + n) of a block, of which it takes a reference
 * (on failure, too). n = 0: the empty batch. On the thread of the worker that will use the batch.
 * SH_ENOMEM. */
int sh_batch_from_strings(sh_strings *strings, uint32_t first, uint32_t n, sh_batch *out);
/* The strings of a batch. False if its events are not packed strings. The worker's thread. */
bool sh_batch_see_strings(sh_batch batch, sh_strings_view *out);
/* The block of a batch and the place of its first string in it, both borrowed. NULL if the events
 * are not packed strings. The worker's thread. */
sh_strings *sh_batch_strings(sh_batch batch, uint32_t *first);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT
 *
 * Events: lists of them, ranges of lists, what carries them to another worker, and lists
 * of C values. */
#ifndef STAGEHOST_EVENTS_H
#define STAGEHOST_EVENTS_H

#include "stagehost/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- lists and batches ----------------------------------------------------------------- */

/* Makes a message for a dead-letter stage, a list of one: the list of the letters of `events`
 * (borrowed), each { event =, error =, stage =, deliveries = }. NULL: out of memory. */
typedef sh_list *sh_letters(sh_worker *worker, const sh_batch *events,
                            const sh_error *error, const char *stage, uint32_t deliveries);

typedef struct sh_list_ops sh_list_ops;

/* An encoded batch or argument on its way between workers. The core calls `free` once, after
 * decoding the parcel or instead of it, on any worker. */
typedef struct sh_parcel {
    void *data;
    size_t len;
    void (*free)(void *data, size_t len); /* NULL: sh_free(data) */
    const sh_list_ops *ops; /* of the list that it becomes; NULL: those that encoded it */
} sh_parcel;
/* Frees what the parcel carries. */
void sh_parcel_free(const sh_parcel *parcel);

/* The input of an encoder: a range of events, or the options of a subscription, which may hold
 * functions. */
typedef enum sh_encode { SH_ENCODE_EVENTS, SH_ENCODE_EXTRA } sh_encode;

/* A list of events belongs to one worker and is counted without atomics. The maker of a list
 * puts struct sh_list at the head of its own struct, with refs = 1. The events themselves are
 * opaque to the core; it only counts, slices and forwards them. */
struct sh_list_ops {
    const char *name;
    /* The last reference was dropped. On the owning worker's thread. */
    void (*free)(sh_list *list);
    /* Makes one list of `n_parts` ranges in order; all their lists have these ops. */
    sh_list *(*concat)(sh_worker *worker, const sh_batch *parts, size_t n_parts);
    /* Optional. Called when events begin to wait in a buffer, a queue or unacknowledged, or when
     * fewer of them go on waiting: may replace *batch, which is owned, by an owned batch of equal
     * events that keeps less memory alive. Without memory for it *batch stays. */
    void (*compact)(sh_batch *batch);
    /* Encodes a range for another worker. SH_EFAILED sets *error (owned by the caller), which
     * names the index of the event that can't cross. */
    int (*encode)(sh_worker *worker, const sh_batch *batch, sh_encode what, sh_parcel *out,
                  sh_error **error);
    /* Decodes a parcel on the target worker. Borrows the parcel; returns a new list, or NULL
     * with *error. */
    sh_list *(*decode)(sh_worker *worker, const sh_parcel *parcel, sh_error **error);
    /* Optional. Without this function the events can't be dead letters. */
    sh_letters *letters;
};

struct sh_list {
    const sh_list_ops *ops;
    uint32_t n; /* number of events, never changes */
    uint32_t refs;
};

/* A range of a list. By value; an "owned" batch carries one reference of its list. The
 * empty batch is all zero. Message payloads travel as batches of one event. */
struct sh_batch {
    sh_list *list;
    uint32_t first; /* from 0 */
    uint32_t n;
};

/* All on the owning worker's thread. */
sh_batch sh_batch_ref(sh_batch batch); /* another owned batch of the same range */
void sh_batch_unref(sh_batch batch);
/* An owned batch over [first, first + n) of `batch` (relative). Asserts the range. */
sh_batch sh_batch_slice(sh_batch batch, uint32_t first, uint32_t n);

/* -- lists of C values ----------------------------------------------------------------- */

/* Lists of C values, for stages written in C. Strings and nested values are copied in. */
typedef enum sh_type {
    SH_NIL,
    SH_BOOLEAN,
    SH_INTEGER,
    SH_NUMBER,
    SH_STRING,
    SH_POINTER,
    SH_LIST,
    SH_MAP
} sh_type;
typedef struct sh_value {
    sh_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            const char *data;
            size_t len;
        } string;
        struct {
            void *data;
            void (*free)(void *data);
        } pointer; /* moves with the value */
        struct {
            struct sh_value *items;
            size_t n;
        } list;
        struct {
            struct sh_value *items;
            size_t n;
        } map; /* n pairs: key, value, key, ... */
    } u;
} sh_value;

extern const sh_list_ops sh_values_ops;
enum { SH_VALUE_DEPTH = 200 }; /* how deep lists and maps may be nested */
/* Copies `n` values (deeply; pointers are taken over) into an owned batch. A pointer is
 * freed with the last list or parcel that holds it, on any worker. SH_ENOMEM.
 * SH_EINVAL: nested more than SH_VALUE_DEPTH deep or too many; the pointers are then still
 * the caller's. */
int sh_batch_from_values(const sh_value *values, size_t n, sh_batch *out);
/* Borrowed array of batch.n values; NULL if the batch is not a list of C values. */
const sh_value *sh_batch_values(sh_batch batch);

#ifdef __cplusplus
}
#endif
#endif

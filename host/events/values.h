/* SPDX-License-Identifier: MIT
 *
 * Lists of C values: one block a list, which holds the values, the values nested in them and
 * their strings. Only pointers with a destructor are stored apart, in counted boxes, because
 * several lists and parcels may hold the same pointer. */
#ifndef SH_VALUES_H
#define SH_VALUES_H

#include <stdatomic.h>

#include "stagehost/events.h"

struct sh__box {
    atomic_uint refs; /* lists and parcels on any worker */
    void *data;
    void (*free)(void *data);
};

/* The space that values take up, nested ones included. */
struct sh__extent {
    size_t items;
    size_t bytes; /* of strings, each with a final zero */
    size_t boxes; /* pointers with a destructor */
};

struct sh__values {
    sh_list head;
    size_t n_boxes;
    struct sh__box **boxes; /* in the order of a walk, depth first */
    sh_value *next_item;    /* room for nested values, while the list is being filled */
    char *next_byte;        /* room for strings, while the list is being filled */
    sh_value items[];       /* head.n of them, then nested ones, boxes, strings */
};

/* A list of n values with one reference, room for `extent`, boxes not set. NULL: no memory. */
struct sh__values *sh__values_new(uint32_t n, const struct sh__extent *extent);
/* Reserves room for nested values, or for a string of `len` bytes and its final zero. */
sh_value *sh__values_add_items(struct sh__values *list, size_t n);
char *sh__values_add_string(struct sh__values *list, size_t len);

/* Copies n values with all values nested in them, for which there is room; no boxes. */
void sh__values_copy(struct sh__values *list, sh_value *to, const sh_value *from, size_t n);

/* Adds up the extent of n values; false when they are nested too deep. */
bool sh__values_measure(const sh_value *values, size_t n, struct sh__extent *extent);
/* The boxes of a range, `n` (as measured) of them. */
struct sh__box **sh__values_boxes(const sh_batch *batch, size_t n);

struct sh__box *sh__box_ref(struct sh__box *box);
void sh__box_unref(struct sh__box *box);

#endif

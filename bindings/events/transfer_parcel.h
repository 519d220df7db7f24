/* SPDX-License-Identifier: MIT
 *
 * The form of a Lua parcel: a head, the handles it carries, and the serialized body. */
#ifndef SHL_TRANSFER_PARCEL_H
#define SHL_TRANSFER_PARCEL_H

#include <lua.h>

#include "stagehost.h"

enum shl_parcel_kind {
    SHL_PARCEL_EVENTS, /* a list, as the serializer took it; transfer/init.lua knows the number */
    SHL_PARCEL_NUMBERS, /* a list of numbers, an array of C; likewise */
    SHL_PARCEL_KEYED,   /* a list with a dictionary of keys; likewise */
    SHL_PARCEL_GRAPH,   /* a list, flattened; the first kind that may hold handles */
    SHL_PARCEL_VALUE,   /* one value, flattened */
    SHL_PARCEL_START,   /* what a start takes along */
    SHL_N_PARCEL_KINDS
};

struct shl_parcel_handle {
    sh_stage *stage; /* or NULL ... */
    sh_subscription *subscription;
};

/* A checked look into a parcel; borrows all of it. */
struct shl_parcel_view {
    enum shl_parcel_kind kind;
    uint32_t n; /* events */
    uint32_t n_handles;
    const struct shl_parcel_handle *handles;
    const void *body;
    size_t len;
};

/* Makes a parcel of view->body and the handles in the table at `handles` (0: none), to
 * which it takes references. SH_ENOMEM. Raises nothing. */
int shl_parcel_new(lua_State *L, const struct shl_parcel_view *view, int handles,
                   sh_parcel *out);
/* False if these bytes are not a complete parcel. */
bool shl_parcel_read(const sh_parcel *parcel, struct shl_parcel_view *out);
/* Pushes a table with a handle for each one in the parcel. Raises when out of memory. */
void shl_parcel_push_handles(lua_State *L, const struct shl_parcel_view *view);

#endif

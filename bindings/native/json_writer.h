/* SPDX-License-Identifier: MIT
 *
 * A JSON text while it is written. Its memory is a userdata on the stack, which the
 * collector frees when an error unwinds. */
#ifndef SHL_NATIVE_JSON_WRITER_H
#define SHL_NATIVE_JSON_WRITER_H

#include <stdbool.h>
#include <string.h>

#include "native/json.h"

/* A list or a map that is not complete. */
struct shl_json_level {
    int slot; /* the table's; in a map the next slot holds the last key */
    int n;    /* the length of a list, or SHL_JSON_MAP                  */
    int at;   /* number of items so far                                 */
};
enum { SHL_JSON_MAP = -1 };

struct shl_json_writer {
    lua_State *L;
    char *at, *end; /* the free part of the buffer */
    char *first;
    int buffer; /* the slot of the userdata */
    unsigned options;
    int depth;
    const char *problem; /* why the value or key can't be written */
    bool is_key;         /* the problem is that of a key           */
    struct shl_json_level levels[SHL_JSON_MAX_DEPTH + 1];
};

/* Moves the text into a buffer of at least `size` bytes. Raises. */
void shl_json_grow(struct shl_json_writer *writer, size_t size);

/* Makes room for n more bytes. Raises. */
static inline void shl_json_reserve(struct shl_json_writer *writer, size_t n)
{
    if ((size_t)(writer->end - writer->at) < n)
        shl_json_grow(writer, (size_t)(writer->at - writer->first) + n);
}

static inline void shl_json_add(struct shl_json_writer *writer, char c)
{
    shl_json_reserve(writer, 1);
    *writer->at++ = c;
}

static inline void shl_json_add_bytes(struct shl_json_writer *writer, const char *bytes,
                                      size_t n)
{
    shl_json_reserve(writer, n);
    memcpy(writer->at, bytes, n);
    writer->at += n;
}

/* Notes why something can't be written; returns false. */
static inline bool shl_json_refuse(struct shl_json_writer *writer, const char *problem)
{
    writer->problem = problem;
    return false;
}

/* These functions add the value in a slot. When they can't, they note the problem and
 * return false. */
bool shl_json_add_string(struct shl_json_writer *writer, int slot);
bool shl_json_add_number(struct shl_json_writer *writer, int slot);
bool shl_json_add_boxed(struct shl_json_writer *writer, int slot); /* any cdata */

#endif

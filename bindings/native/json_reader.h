/* SPDX-License-Identifier: MIT
 *
 * A JSON text while it is read. Each read function pushes the value that begins at `at`,
 * and moves `at` behind it. When the text is wrong it returns false and leaves `at` at the
 * wrong place. It raises only when memory or the stack runs out. */
#ifndef SHL_NATIVE_JSON_READER_H
#define SHL_NATIVE_JSON_READER_H

#include <stdbool.h>

#include "native/json.h"

/* A list or a map that is not complete. Its first items wait on the stack: when it ends,
 * its table is created with room for exactly these. If there are too many, later ones go
 * into the table at once. */
struct shl_json_frame {
    int slot; /* the table's; as long as there is none, the first item's */
    int n;    /* number of items so far                                  */
    bool is_map;
    bool has_table;
};

struct shl_json_reader {
    lua_State *L;
    const char *at, *end; /* *end is a NUL, as behind every string of Lua */
    unsigned options;
    int top; /* the highest slot in use */
    int depth;
    const char *expected, *found; /* the error */
    struct shl_json_frame frames[SHL_JSON_MAX_DEPTH + 1];
};

/* Notes an error at `at`; returns false. */
static inline bool shl_json_fail(struct shl_json_reader *reader, const char *at,
                                 const char *expected, const char *found)
{
    reader->at = at;
    reader->expected = expected;
    reader->found = found;
    return false;
}

/* Reads the number that begins with the digit or minus at `at`. */
bool shl_json_read_number(struct shl_json_reader *reader);
/* Reads the string that begins with the quote at `at`. Errors say that `expected` was
 * expected. */
bool shl_json_read_string(struct shl_json_reader *reader, const char *expected);

#endif

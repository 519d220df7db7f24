/* SPDX-License-Identifier: MIT
 *
 * Operators on packed strings: lines, fields, patterns, hashes, counts. What they return are other
 * places in the same bytes: no string is made, and none is copied.
 *
 * The operators take a block and a view of it, all of its strings or a range. Objects (sh_lines,
 * sh_pattern, sh_counts) may be used on any thread, by one thread at a time. */
#ifndef STAGEHOST_TEXT_H
#define STAGEHOST_TEXT_H

#include "stagehost/strings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- lines ----------------------------------------------------------------------------- */

/* Cuts chunks of bytes into lines, which end with "\n"; what follows the last one is kept until its
 * end comes. */
typedef struct sh_lines sh_lines;

/* keep_cr: "\r\n" does not end a line like "\n", but leaves its "\r" in the line. NULL: out of
 * memory. */
sh_lines *sh_lines_new(bool keep_cr);
void sh_lines_free(sh_lines *lines); /* NULL is allowed */
/* *out becomes a block, owned, of the lines that these bytes complete, or NULL if they complete
 * none. The bytes are copied once. SH_ENOMEM, SH_EINVAL (they and the unfinished line have more
 * than SH_STRINGS_MAX bytes): nothing was fed. */
int sh_lines_feed(sh_lines *lines, const char *bytes, size_t n, sh_strings **out);
/* Feeds all strings of a view as chunks, one after the other. */
int sh_lines_feed_all(sh_lines *lines, sh_strings_view chunks, sh_strings **out);
/* The end of the input: *out becomes a block of the last line if that had no "\n", or NULL; a "\r"
 * at its end belongs to it. SH_ENOMEM: the line is still there. */
int sh_lines_finish(sh_lines *lines, sh_strings **out);
/* The bytes of the line that has begun and not ended. */
size_t sh_lines_kept(const sh_lines *lines);

/* All lines of a text that is whole, a view of its chunks: an owned block. NULL: out of memory, or
 * more than SH_STRINGS_MAX bytes. */
sh_strings *sh_text_lines(sh_strings_view chunks, bool keep_cr);

/* -- fields ---------------------------------------------------------------------------- */

/* A field of a string. All zero: the whole string. */
typedef struct sh_field {
    uint32_t nth; /* from 1; 0: the whole string */
    /* What stands between two fields. NULL or of no length: runs of white space (the six bytes of
     * isspace in the C locale), of which those at both ends do not count, as in awk. */
    const char *separator;
    size_t separator_len;
} sh_field;

/* The place of the field in the string at `string` of `bytes`; an empty one at the end of the
 * string if it has no such field. */
sh_span sh_field_find(const sh_field *field, const char *bytes, sh_span string);
/* The field of each string: an owned block of in.n strings. NULL: out of memory. */
sh_strings *sh_text_field(sh_strings *of, sh_strings_view in, const sh_field *field);
/* All fields of all strings in order, or, with field->nth, that field of each string that has it:
 * an owned block. NULL: out of memory, or more fields than a block can have. */
sh_strings *sh_text_split(sh_strings *of, sh_strings_view in, const sh_field *field);

/* -- patterns -------------------------------------------------------------------------- */

/* What is searched for: a pattern of Lua 5.1 (with %g), or a plain text. Patterns are translated
 * for PCRE2, and find what string.find finds, bytes in the C locale. Three differences:
 * - A pattern that string.find refuses for some subject only is always refused.
 * - A NUL byte in a pattern stands for itself.
 * - The nesting that string.find calls "pattern too complex" is no error. Instead, a search fails
 *   if it takes more than 1,000,000 steps of backtracking (as PCRE2 counts them) and ten for each
 *   byte of the subject at one place of it, or more than 256 MB. */
typedef struct sh_pattern sh_pattern;

/* SH_EINVAL: *problem, static, says what is wrong in the words of Lua. SH_ENOMEM. */
int sh_pattern_new(const char *text, size_t len, sh_pattern **out, const char **problem);
/* Finds this text itself. SH_ENOMEM. */
int sh_pattern_plain(const char *text, size_t len, sh_pattern **out);
void sh_pattern_free(sh_pattern *pattern); /* NULL is allowed */

/* Searches from the byte `from` on: 1 if something was found, 0 if not. SH_EFAILED: it took too
 * much; SH_ENOMEM. */
int sh_pattern_find(sh_pattern *pattern, const char *bytes, size_t len, size_t from);

/* A part of what was found last. A position capture has no length, but is no empty string. */
typedef struct sh_capture {
    size_t start, len;
    bool is_position;
} sh_capture;

enum { SH_CAPTURES_MAX = 32 };

uint32_t sh_pattern_captures(const sh_pattern *pattern); /* their number */
/* Capture 1 .. sh_pattern_captures(), or 0: all that was found. */
sh_capture sh_pattern_capture(const sh_pattern *pattern, uint32_t i);

/* Keeps the strings in which the pattern is found, or with `invert` those in which it is not: *out
 * becomes an owned block. SH_ENOMEM; SH_EFAILED: the search in string *failed_at took too much. */
int sh_text_select(sh_strings *of, sh_strings_view in, sh_pattern *pattern, bool invert,
                   sh_strings **out, uint32_t *failed_at);

/* -- hashes ---------------------------------------------------------------------------- */

/* The place of each string's field among `n` partitions, 0 .. n - 1, by sh_hash_bytes and
 * sh_hash_place: that of stagehost.hash. Writes in.n places. */
void sh_text_hash(sh_strings_view in, const sh_field *field, uint32_t n, uint32_t *places);

/* -- counts ---------------------------------------------------------------------------- */

/* How often each key has come. Keys are hashed as in hash.h: not for keys that an attacker
 * chooses. */
typedef struct sh_counts sh_counts;

typedef struct sh_count {
    const char *key; /* borrowed; as long as nothing is added */
    uint32_t len;
    uint64_t n;
} sh_count;

sh_counts *sh_counts_new(void); /* NULL: out of memory */
void sh_counts_free(sh_counts *counts);
/* Counts the field of each string. SH_ENOMEM: only strings before one that is new have been
 * counted. */
int sh_counts_add(sh_counts *counts, sh_strings_view in, const sh_field *field);
/* Adds the counts of others. SH_ENOMEM: only a part was added. */
int sh_counts_merge(sh_counts *counts, const sh_counts *others);
uint32_t sh_counts_n(const sh_counts *counts); /* of keys */
/* Key i < sh_counts_n(), in the order in which they came first. */
sh_count sh_counts_at(const sh_counts *counts, uint32_t i);

#ifdef __cplusplus
}
#endif
#endif

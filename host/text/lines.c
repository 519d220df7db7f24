/* SPDX-License-Identifier: MIT
 *
 * Lines out of chunks. The line ends of a chunk are counted first, so that the block has its size
 * and the bytes are copied once, from the chunk into the block; only an unfinished line is copied
 * twice, or as often as its memory has to be doubled. */
#include <string.h>

#include "stagehost/text.h"

struct sh_lines {
    bool keep_cr;
    char *kept; /* the line that has begun and not ended */
    size_t n_kept, capacity;
};

sh_lines *sh_lines_new(bool keep_cr)
{
    sh_lines *lines = sh_malloc(sizeof *lines);
    if (lines)
        *lines = (sh_lines){.keep_cr = keep_cr};
    return lines;
}

void sh_lines_free(sh_lines *lines)
{
    if (!lines)
        return;
    sh_free(lines->kept);
    sh_free(lines);
}

size_t sh_lines_kept(const sh_lines *lines)
{
    return lines->n_kept;
}

/* -- the unfinished line --------------------------------------------------------------- */

static int make_room(sh_lines *lines, size_t n)
{
    size_t capacity = lines->capacity;
    if (n <= capacity)
        return SH_OK;
    while (capacity < n)
        capacity = capacity ? 2 * capacity : 256;
    char *kept = sh_realloc(lines->kept, capacity);
    if (!kept)
        return SH_ENOMEM;
    lines->kept = kept;
    lines->capacity = capacity;
    return SH_OK;
}

static void keep(sh_lines *lines, const char *bytes, size_t n)
{
    if (n > 0)
        memcpy(lines->kept + lines->n_kept, bytes, n);
    lines->n_kept += n;
}

/* What a long line needed is not held for the short ones that follow; that this may fail does not
 * matter. */
static void shrink(sh_lines *lines, size_t n)
{
    enum { USUAL = 64 * 1024 };
    char *kept =
        lines->capacity > USUAL && n <= USUAL ? sh_realloc(lines->kept, USUAL) : NULL;
    if (!kept)
        return;
    lines->kept = kept;
    lines->capacity = USUAL;
}

/* -- cutting --------------------------------------------------------------------------- */

static uint32_t count_ends(const char *bytes, size_t n)
{
    uint32_t ends = 0;
    for (size_t i = 0; i < n; i++)
        ends += bytes[i] == '\n';
    return ends;
}

/* What a view of chunks has. */
struct measure {
    uint64_t n_bytes;
    uint32_t n_ends;
    uint32_t last; /* the chunk with the last line end, or the first one */
    size_t tail;   /* where the unfinished line begins, or goes on, in it */
};

static struct measure measure_chunks(sh_strings_view chunks)
{
    struct measure measure = {0};
    for (uint32_t i = 0; i < chunks.n; i++) {
        const char *bytes = chunks.bytes + chunks.spans[i].start;
        size_t n = chunks.spans[i].len;
        uint32_t ends = count_ends(bytes, n);
        measure.n_bytes += n;
        measure.n_ends += ends;
        if (ends > 0) {
            measure.last = i;
            measure.tail = (size_t)((const char *)memrchr(bytes, '\n', n) - bytes) + 1;
        }
    }
    return measure;
}

/* The bytes behind the last line end. */
static size_t measure_tail(sh_strings_view chunks, const struct measure *measure)
{
    size_t n = 0;
    for (uint32_t i = measure->last; i < chunks.n; i++)
        n += chunks.spans[i].len;
    return n - measure->tail;
}

/* The places of the lines in these bytes. The last one may have no "\n", and keeps its "\r"
 * then. */
static void cut(const char *bytes, size_t n, bool keep_cr, sh_span *spans)
{
    const char *line = bytes, *end = bytes + n;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line);
        *spans++ = (sh_span){
            (uint32_t)(line - bytes),
            (uint32_t)(newline && !keep_cr && len > 0 && newline[-1] == '\r' ? len - 1
                                                                             : len)};
        line += len + 1;
    }
}

/* Copies the first n bytes of the chunks. */
static void copy_chunks(char *to, sh_strings_view chunks, size_t n)
{
    for (uint32_t i = 0; i < chunks.n && n > 0; i++) {
        size_t len = chunks.spans[i].len < n ? chunks.spans[i].len : n;
        if (len > 0)
            memcpy(to, chunks.bytes + chunks.spans[i].start, len);
        to += len;
        n -= len;
    }
}

/* A block of the lines in what was kept and the first n bytes of the chunks. */
static sh_strings *make_block(const sh_lines *lines, sh_strings_view chunks, size_t n,
                              uint32_t n_lines)
{
    sh_span *spans;
    char *bytes;
    sh_strings *block = sh_strings_new(n_lines, lines->n_kept + n, &spans, &bytes);
    if (!block)
        return NULL;
    if (lines->n_kept > 0)
        memcpy(bytes, lines->kept, lines->n_kept);
    copy_chunks(bytes + lines->n_kept, chunks, n);
    cut(bytes, lines->n_kept + n, lines->keep_cr, spans);
    sh_strings_seal(block);
    return block;
}

sh_strings *sh_text_lines(sh_strings_view chunks, bool keep_cr)
{
    struct measure measure = measure_chunks(chunks);
    const sh_lines lines = {.keep_cr = keep_cr};
    bool has_rest = measure_tail(chunks, &measure) > 0;
    return make_block(&lines, chunks, measure.n_bytes, measure.n_ends + has_rest);
}

static void keep_tail(sh_lines *lines, sh_strings_view chunks,
                      const struct measure *measure)
{
    size_t skip = measure->tail;
    for (uint32_t i = measure->last; i < chunks.n; i++) {
        keep(lines, chunks.bytes + chunks.spans[i].start + skip,
             chunks.spans[i].len - skip);
        skip = 0;
    }
}

int sh_lines_feed_all(sh_lines *lines, sh_strings_view chunks, sh_strings **out)
{
    struct measure measure = measure_chunks(chunks);
    size_t tail = measure_tail(chunks, &measure), kept = lines->n_kept;
    *out = NULL;
    if (kept + measure.n_bytes > SH_STRINGS_MAX)
        return SH_EINVAL;
    if (make_room(lines, measure.n_ends > 0 ? tail : kept + tail) < 0)
        return SH_ENOMEM;
    if (measure.n_ends > 0) {
        *out = make_block(lines, chunks, measure.n_bytes - tail, measure.n_ends);
        if (!*out)
            return SH_ENOMEM;
        lines->n_kept = 0;
        shrink(lines, tail);
    }
    keep_tail(lines, chunks, &measure);
    return SH_OK;
}

int sh_lines_feed(sh_lines *lines, const char *bytes, size_t n, sh_strings **out)
{
    *out = NULL;
    if (n > SH_STRINGS_MAX)
        return SH_EINVAL;
    sh_span span = {0, (uint32_t)n};
    return sh_lines_feed_all(lines, (sh_strings_view){bytes, &span, n > 0}, out);
}

int sh_lines_finish(sh_lines *lines, sh_strings **out)
{
    sh_span span = {0, (uint32_t)lines->n_kept};
    *out = NULL;
    if (lines->n_kept == 0)
        return SH_OK;
    *out = sh_strings_copy(lines->kept, &span, 1);
    if (!*out)
        return SH_ENOMEM;
    lines->n_kept = 0;
    shrink(lines, 0);
    return SH_OK;
}

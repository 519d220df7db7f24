/* SPDX-License-Identifier: MIT */
#include "command/crossings.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The most pairs of stages that are named; the time below which the cost of crossing is not worth a
 * line. */
enum { MOST_PAIRS = 8, WORTH_NS = 10000000 };

/* What crossed between two stages, with all of their instances. */
struct pair {
    const char *producer, *consumer; /* names of instances */
    uint64_t events, bytes, encode_ns, decode_ns, callback_ns;
};

struct crossings {
    sh_crossing *all;
    size_t n, capacity;
};

/* -- collecting ------------------------------------------------------------------------ */

static void collect(void *data, const sh_crossing *crossing)
{
    struct crossings *crossings = data;
    if (crossings->n == crossings->capacity) {
        size_t capacity = crossings->capacity ? crossings->capacity * 2 : 64;
        sh_crossing *all = realloc(crossings->all, capacity * sizeof *all);
        if (!all)
            return; /* a report at debug level: it does without */
        crossings->all = all;
        crossings->capacity = capacity;
    }
    crossings->all[crossings->n++] = *crossing;
}

/* The length of a name without the number of an instance. */
static int stem(const char *name)
{
    size_t len = strlen(name), end = len;
    while (end > 0 && isdigit((unsigned char)name[end - 1]))
        end--;
    return (int)(end < len && end > 1 && name[end - 1] == '.' ? end - 1 : len);
}

static bool is_same_stage(const char *a, const char *b)
{
    int len = stem(a);
    return len == stem(b) && strncmp(a, b, (size_t)len) == 0;
}

static bool belongs_to(const sh_crossing *crossing, const struct pair *pair)
{
    return is_same_stage(crossing->producer, pair->producer) &&
           is_same_stage(crossing->consumer, pair->consumer);
}

/* Whether an instance is at one end of a crossing of the pair before the i-th. */
static bool is_counted(const struct crossings *crossings, size_t i, const struct pair *pair,
                       bool consumes)
{
    for (size_t k = 0; k < i; k++) {
        const sh_crossing *one = &crossings->all[k], *other = &crossings->all[i];
        if (belongs_to(one, pair) &&
            strcmp(consumes ? one->consumer : one->producer,
                   consumes ? other->consumer : other->producer) == 0)
            return true;
    }
    return false;
}

/* The pair of the i-th crossing. False: an earlier crossing is of the same one. */
static bool sum_up(const struct crossings *crossings, size_t i, struct pair *pair)
{
    *pair = (struct pair){.producer = crossings->all[i].producer,
                          .consumer = crossings->all[i].consumer};
    for (size_t k = 0; k < crossings->n; k++) {
        const sh_crossing *one = &crossings->all[k];
        if (!belongs_to(one, pair))
            continue;
        if (k < i)
            return false;
        pair->events += one->events;
        pair->bytes += one->bytes;
        pair->encode_ns += one->encode_ns;
        pair->decode_ns += one->decode_ns;
        if (!is_counted(crossings, k, pair, false))
            pair->callback_ns += one->producer_ns;
        if (!is_counted(crossings, k, pair, true))
            pair->callback_ns += one->consumer_ns;
    }
    return true;
}

/* -- reporting ------------------------------------------------------------------------- */

static uint64_t cost(const struct pair *pair)
{
    return pair->encode_ns + pair->decode_ns;
}

static void report_pair(struct log_sink *sink, const struct pair *pair)
{
    int producer = stem(pair->producer), consumer = stem(pair->consumer);
    log_sink_diagnose(sink, SH_LOG_DEBUG, NULL, NULL,
                      "%.*s -> %.*s: %" PRIu64 " %s crossed in %" PRIu64
                      " bytes; %.3f s encoding, %.3f s decoding, %.3f s in callbacks",
                      producer, pair->producer, consumer, pair->consumer, pair->events,
                      pair->events == 1 ? "event" : "events", pair->bytes,
                      (double)pair->encode_ns / 1e9, (double)pair->decode_ns / 1e9,
                      (double)pair->callback_ns / 1e9);
    uint64_t crossing_ns = cost(pair);
    if (crossing_ns < WORTH_NS || crossing_ns <= pair->callback_ns)
        return;
    log_sink_diagnose(sink, SH_LOG_DEBUG, NULL, NULL,
                      "%.*s -> %.*s: crossing took %.0f %% of the time; keep them on one "
                      "worker, or combine first",
                      producer, pair->producer, consumer, pair->consumer,
                      100 * (double)crossing_ns /
                          (double)(crossing_ns + pair->callback_ns));
}

static int compare(const void *a, const void *b)
{
    uint64_t first = cost(a), second = cost(b);
    return (first < second) - (first > second);
}

void crossings_report(struct log_sink *sink, const sh_host *host)
{
    struct crossings crossings = {0};
    sh_host_each_crossing(host, collect, &crossings);
    struct pair *pairs = crossings.n ? malloc(crossings.n * sizeof *pairs) : NULL;
    size_t n = 0;
    for (size_t i = 0; pairs && i < crossings.n; i++)
        n += sum_up(&crossings, i, &pairs[n]);
    if (n > 1)
        qsort(pairs, n, sizeof *pairs, compare);
    for (size_t i = 0; i < n && i < MOST_PAIRS; i++)
        report_pair(sink, &pairs[i]);
    if (n > MOST_PAIRS)
        log_sink_diagnose(sink, SH_LOG_DEBUG, NULL, NULL,
                          "events crossed between %zu more pairs of stages, for less time",
                          n - MOST_PAIRS);
    free(pairs);
    free(crossings.all);
}

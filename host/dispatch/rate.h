/* SPDX-License-Identifier: MIT
 *
 * A rate: at most `events` in any window of `per_ms`, spread evenly over it as far as timers can.
 * A pure state machine; time is an argument, in nanoseconds from any origin, never going back.
 *
 * Two bounds work together. A log of the events taken in the last window is exact: no window,
 * wherever it begins, holds more than `events`. A token bucket of one portion paces within the
 * window, so that the events come in small portions and not in one burst at its beginning. The
 * number allowed shrinks only by taking. */
#ifndef SH_RATE_H
#define SH_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { SH__RATE_LOG = 257 };

struct sh__rate {
    int64_t events;
    uint64_t window_ns;
    int64_t portion; /* events that it is worth waiting for; they may be taken at once */
    double tokens, capacity;
    uint64_t filled_ns; /* the time at which `tokens` was right */
    bool has_begun;
    int64_t taken; /* in the log */
    uint32_t head, length;
    struct sh__rate_entry {
        uint64_t first_ns, last_ns; /* several takes in a short time are one entry ... */
        int64_t n;                  /* ... which leaves the window with its last */
    } log[SH__RATE_LOG];
};

/* `events` >= 1, `per_ms` >= 1. `portion`, 1 .. events: at least this many events have to be
 * allowed at once. */
void sh__rate_init(struct sh__rate *rate, int64_t events, uint64_t per_ms, int64_t portion);
/* The number of events that may be taken now. */
int64_t sh__rate_allowed(struct sh__rate *rate, uint64_t now_ns);
/* Takes n events now, at most as many as are allowed. */
void sh__rate_take(struct sh__rate *rate, uint64_t now_ns, int64_t n);
/* The time until n <= portion events are allowed if none are taken till then; 0: now. */
uint64_t sh__rate_wait_ns(struct sh__rate *rate, uint64_t now_ns, int64_t n);

#endif

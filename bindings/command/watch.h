/* SPDX-License-Identifier: MIT
 *
 * The watchdog: a thread that names callbacks that do not return, and ends the process if one of
 * them prevents its end. */
#ifndef WATCH_H
#define WATCH_H

#include <stdatomic.h>
#include <uv.h>

#include "command/options.h"
#include "stagehost.h"

struct watch {
    const struct cli_options *options;
    sh_host *host;
    struct log_sink *sink;
    uint64_t *reported;    /* by worker: what was reported last */
    uint64_t ending_since; /* ms; 0: the host is not being stopped */
    uv_thread_t thread;
};

/* Starts the thread; once in a process. Returns 0 or a negative errno of libuv. The options, the
 * host and the sink are borrowed until watch_close. */
int watch_open(struct watch *watch, const struct cli_options *options, sh_host *host,
               struct log_sink *sink);
/* Does nothing if the open failed. Called before the host is freed. */
void watch_close(struct watch *watch);

/* For a signal handler: make the thread name callbacks that do not return, or give them up. */
void watch_ask(void);
void watch_give_up(void);

#endif

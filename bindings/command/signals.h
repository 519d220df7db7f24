/* SPDX-License-Identifier: MIT
 *
 * Signals of the command: TERM and INT drain the host and then stop it, USR1 has it log its
 * stages, PIPE and XFSZ are turned into write errors. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "stagehost.h"

struct signals {
    sh_host *host;
    uint64_t drain_timeout_ms; /* 0: no limit */
    uv_async_t wake;           /* on worker 0's loop; does not keep it running */
    unsigned n_taken;          /* stop signals acted on so far */
};

/* From now on signals reach `host`; called once in a process. `loop` is worker 0's. */
int signals_open(struct signals *signals, sh_host *host, uv_loop_t *loop,
                 uint64_t drain_timeout_ms);
/* Gives signals their default effect again and closes the handle: run the loop before closing
 * it. Does nothing if the open failed. */
void signals_close(struct signals *signals);
/* From now on, writing to a pipe without a reader fails with EPIPE, and beyond the limit of file
 * sizes with EFBIG. Programs that the script starts get the default. */
void signals_ignore_writes(void);

#endif

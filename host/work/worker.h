/* SPDX-License-Identifier: MIT
 *
 * Running a worker; stage/worker_state.h has its struct. */
#ifndef SH_WORKER_H
#define SH_WORKER_H

#include "stage/worker_state.h"

/* `worker` is all zero. `loop`: the embedder's, or NULL: the worker makes one. SH_ENOMEM: nothing
 * to close. */
int sh__worker_init(sh_worker *worker, sh_host *host, unsigned index, uv_loop_t *loop);
/* Closes the handles; runs the loop until they are. */
void sh__worker_fini(sh_worker *worker);
/* Refuses the messages in its inbox and sends the staged ones, when no thread runs any more.
 * Returns whether there were any. */
bool sh__worker_sweep(sh_worker *worker);
/* hooks.open, once; on the worker's thread. */
int sh__worker_open(sh_worker *worker);
/* hooks.close, if hooks.open has succeeded; on the worker's thread. */
void sh__worker_close(sh_worker *worker);

#endif

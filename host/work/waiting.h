/* SPDX-License-Identifier: MIT
 *
 * How a worker waits. Another worker that fills its inbox makes a system call to wake it only if
 * it is asleep. While a worker is awake it checks its inbox by itself: between two slices, and
 * before it goes to sleep.
 *
 * A worker whose loop the embedder runs, not sh_host_run, always counts as asleep: only the
 * embedder knows when the loop runs again, and may wait for its descriptor. */
#ifndef SH_WAITING_H
#define SH_WAITING_H

#include "stage/worker_state.h"

/* Called before the loop waits: waits a little for other workers that are busy with messages of
 * this one. Returns true if messages came, which have been delivered; else the worker is
 * asleep. */
bool sh__worker_rest(sh_worker *worker);
/* Called after the loop has waited. */
void sh__worker_rise(sh_worker *worker);
/* Runs the loop once, until it is stopped or has nothing to wait for. The worker is asleep when it
 * returns. */
void sh__worker_run(sh_worker *worker);

#endif

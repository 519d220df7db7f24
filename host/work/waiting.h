/* SPDX-License-Identifier: MIT
 *
 * How a worker waits. Another worker that fills its inbox makes a system call to wake it only when
 * it is asleep. While it is awake it looks at its inbox by itself: between two slices, and before
 * it goes to sleep.
 *
 * A worker whose loop is run by the embedder itself, not by sh_host_run, counts as asleep always:
 * only the embedder knows when the loop runs again, and may wait for its descriptor. */
#ifndef SH_WAITING_H
#define SH_WAITING_H

#include "stage/worker_state.h"

/* The loop is going to wait: waits a little for other workers that are at work on what was
 * exchanged with them. Returns true when there are messages, which have been delivered; else the
 * worker is asleep. */
bool sh__worker_rest(sh_worker *worker);
/* The loop has waited. */
void sh__worker_rise(sh_worker *worker);
/* Runs the loop once, until it is stopped or has nothing to wait for. When it is left the worker is
 * asleep. */
void sh__worker_run(sh_worker *worker);

#endif

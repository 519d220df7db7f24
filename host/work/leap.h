/* SPDX-License-Identifier: MIT
 *
 * How the worker of a host with a virtual clock waits: it moves the clock. */
#ifndef SH_LEAP_H
#define SH_LEAP_H

#include "stage/worker_state.h"

/* Called before the loop waits, with nothing to do: if no I/O could give the stages work, moves the
 * clock to the next alarm. Without an alarm, calls opts.on_stall. */
void sh__worker_leap(sh_worker *worker);
/* Called after a slice that has left stages with something to do: time passes for them. */
void sh__worker_pass(sh_worker *worker);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The code that a worker's thread is running and that may never return: a callback of a stage, or
 * other code of a program. The thread only stores values it has at hand, without a lock, since it
 * does so for every callback; work/watch.c reads them on other threads. `what` is stored last, so
 * that a reader that sees it sees a stage of this run or of a later one. */
#ifndef SH_ACTIVITY_H
#define SH_ACTIVITY_H

#include "stage/stage.h"

/* On the worker's thread. `stage` may be NULL; `what` must outlive the host. Between slices the
 * clock may have been read long ago. */
static inline void sh__activity_begin(sh_worker *worker, sh_stage *stage, const char *what)
{
    struct sh__activity *now = &worker->activity;
    uint64_t since = sh__likely(worker->slicing) ? worker->ticks : sh__ticks();
    atomic_store_explicit(&now->stage, stage, memory_order_relaxed);
    atomic_store_explicit(&now->since, since, memory_order_relaxed);
    atomic_store_explicit(&now->what, what, memory_order_release);
}

static inline void sh__activity_end(sh_worker *worker)
{
    atomic_store_explicit(&worker->activity.what, NULL, memory_order_relaxed);
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * The door for events from outside: any thread of the application pushes events into an inlet, and
 * a producer of the host emits them as its consumers ask. The inlet has room for a number of
 * events; a push tells how many it has taken, or waits for room. */
#ifndef STAGEHOST_INLET_H
#define STAGEHOST_INLET_H

#include "stagehost/events.h"
#include "stagehost/stage.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sh_inlet sh_inlet;

enum { SH_INLET_ROOM = 10000 };

/* Starts the producer of a new inlet, on the worker that `opts` names; `opts` (may be NULL) as
 * for sh_stage_start, without kind, ops and arg, which the inlet sets. `room`: how many events
 * it holds that the producer has not emitted; 0: SH_INLET_ROOM. On SH_OK *out is to be freed
 * by sh_inlet_free. Errors as those of sh_stage_start. The thread of `worker`. */
int sh_inlet_start(sh_worker *worker, const sh_stage_opts *opts, size_t room,
                   sh_inlet **out, sh_error **error);
/* The producer, for subscriptions: borrowed, good as long as the inlet is not freed. Any thread. */
sh_stage *sh_inlet_stage(const sh_inlet *inlet);

/* Copies values into the inlet, as sh_batch_from_values does: from the first on, as many as
 * there is room for. Returns how many it has taken, 0 to n; the rest is the caller's, who
 * tries again later or waits. SH_ESTATE: the inlet is closed, or its producer has ended.
 * SH_ENOMEM, SH_EINVAL: nothing was taken. Any thread. */
int64_t sh_inlet_push(sh_inlet *inlet, const sh_value *values, size_t n);
/* Pushes all n values, and waits for room as long as it takes, at most timeout_ms (0: without
 * limit) in all. Returns how many it has taken: fewer than n if time was up. Errors as above,
 * if nothing was taken before. Any thread that runs no worker. */
int64_t sh_inlet_push_all(sh_inlet *inlet, const sh_value *values, size_t n,
                          uint64_t timeout_ms);
/* Nothing more will be pushed: when all is emitted, the producer ends normally. Any thread. */
void sh_inlet_close(sh_inlet *inlet);
/* Events that were pushed and not emitted; when the producer has ended, those that are lost.
 * The ledger of the host has them too, unless the producer was killed or never began. Any
 * thread; may be out of date at once. */
size_t sh_inlet_count(const sh_inlet *inlet);
/* Closes the inlet, and lets go of it; NULL is allowed. Not while another thread uses it. */
void sh_inlet_free(sh_inlet *inlet);

#ifdef __cplusplus
}
#endif
#endif

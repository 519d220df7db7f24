/* SPDX-License-Identifier: MIT
 *
 * The calls that go up from this room; stage/above.h has the rule. */
#ifndef SH_LIFE_ABOVE_H
#define SH_LIFE_ABOVE_H

#include "stage/stage.h"

/* -- work/crossing.c ------------------------------------------------------------------- */

/* Decodes the payload of a message that came from another worker. False: the decoding failed, the
 * message was refused, and its stage ends. On the worker of its stage. */
bool sh__message_unpack(sh_worker *worker, struct sh__message *message);

/* -- work/host.c ----------------------------------------------------------------------- */

/* Starts the thread of a worker other than 0 if it has none. SH_ENOMEM. Any thread. */
int sh__host_ensure_thread(sh_host *host, sh_worker *worker);

/* -- work/drain.c ---------------------------------------------------------------------- */

/* Called when a stage begins, or has ended; the last end wakes worker 0, and an end moves a drain
 * on. Any thread. */
void sh__host_stage_begins(sh_host *host, sh_kind kind);
/* Called when a process has started its stages: a drain that waits for the last such process can
 * begin. Any thread. */
void sh__host_built(sh_host *host);
void sh__host_stage_ended(sh_host *host, sh_stage *stage);
/* Called when a stage has failed: keeps the first such error (borrowed), and calls opts.on_failure.
 * Any thread. */
void sh__host_record_failure(sh_host *host, sh_error *error);

#endif

/* SPDX-License-Identifier: MIT
 *
 * An alarm calls a function at a time of the host's clock. It is a timer of libuv or, if the clock
 * is virtual, a place in a list that the clock is moved along. For the worker's thread. */
#ifndef SH_ALARM_H
#define SH_ALARM_H

#include <uv.h>

#include "base/list.h"
#include "stagehost/host.h"

/* In memory of its owner, from sh__alarm_start until `closed` is called. */
struct sh__alarm {
    uv_timer_t handle;
    struct sh__link link; /* virtual: in host->alarms, the earliest first */
    sh_host *host;
    uint64_t due_ns, every_ns; /* virtual */
    void (*ring)(struct sh__alarm *alarm);
    void (*closed)(struct sh__alarm *alarm);
};

/* Prepares an alarm of this worker. */
void sh__alarm_open(struct sh__alarm *alarm, sh_worker *worker,
                    void (*ring)(struct sh__alarm *alarm));
/* Calls `ring` after after_ms, and then every every_ms (0: once). `ring` may close the alarm, or
 * start one again that was to ring once. */
void sh__alarm_start(struct sh__alarm *alarm, uint64_t after_ms, uint64_t every_ms);
/* Stops the alarm, and calls `closed` when its memory is not needed any more: at once, or later
 * from the loop. */
void sh__alarm_close(struct sh__alarm *alarm, void (*closed)(struct sh__alarm *alarm));
/* Does not keep the loop from ending. */
void sh__alarm_unref(struct sh__alarm *alarm);

/* -- the virtual clock ----------------------------------------------------------------- */

/* Moves the clock to the earliest alarm, and rings it and all others of that time. Returns false if
 * there is none. */
bool sh__alarms_leap(sh_host *host);
/* Moves the clock on by some time, and rings the alarms that are due by then. */
void sh__alarms_pass(sh_host *host, uint64_t ns);

#endif

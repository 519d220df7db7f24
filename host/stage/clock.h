/* SPDX-License-Identifier: MIT
 *
 * The clock of a host, real or virtual; and the length of the ticks of sh__ticks(), measured over
 * the time since the host was made. */
#ifndef SH_CLOCK_H
#define SH_CLOCK_H

#include "stage/host_state.h"

/* The host's clock: nanoseconds since some moment. All that the engine does after some time, it
 * does by this clock. Any thread. */
uint64_t sh__clock_now(const sh_host *host);
/* A number of ticks in nanoseconds, and the reverse. Any thread. */
uint64_t sh__clock_ns(const sh_host *host, uint64_t ticks);
uint64_t sh__clock_ticks(const sh_host *host, uint64_t ns);

#endif

/* SPDX-License-Identifier: MIT */
#include "stage/clock.h"

#include "base/compiler.h"

uint64_t sh__clock_now(const sh_host *host)
{
    if (!host->opts.virtual_clock)
        return uv_hrtime();
    return atomic_load_explicit(&host->virtual_ns, memory_order_relaxed);
}

uint64_t sh_host_now(const sh_host *host)
{
    return sh__clock_now(host);
}

bool sh_host_has_virtual_clock(const sh_host *host)
{
    return host->opts.virtual_clock;
}

/* Both clocks tick from the same moment on; on a host too young to measure, a tick is one
 * nanosecond. */
static double ns_per_tick(const sh_host *host)
{
    uint64_t ticks = sh__ticks() - host->ticks_at_start;
    uint64_t ns = uv_hrtime() - host->ns_at_start;
    return ticks && ns ? (double)ns / (double)ticks : 1;
}

uint64_t sh__clock_ns(const sh_host *host, uint64_t ticks)
{
    return (uint64_t)((double)ticks * ns_per_tick(host));
}

uint64_t sh__clock_ticks(const sh_host *host, uint64_t ns)
{
    return (uint64_t)((double)ns / ns_per_tick(host));
}

/* SPDX-License-Identifier: MIT */
#include "produce/refusals.h"

#include "produce/producer.h"
#include "stage/clock.h"
#include "stage/ledger.h"
#include "stage/log.h"

/* The least time between two lines. */
static const uint64_t interval_ns = UINT64_C(10000000000);

static const char *plural(uint64_t n)
{
    return n == 1 ? "event" : "events";
}

static void tell_sum(sh_stage *stage, struct sh__refusals *refusals)
{
    uint64_t n = refusals->n - refusals->told;
    sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_BAD_EVENT, stage, NULL,
            "lost %llu more %s that the hash refused, %llu in all", (unsigned long long)n,
            plural(n), (unsigned long long)refusals->n);
    refusals->told = refusals->n;
}

void sh__refusals_count(sh_stage *stage, uint32_t n, const sh_error *error)
{
    struct sh__refusals *refusals = &stage->out->dispatch.refusals;
    uint64_t now = sh__clock_now(stage->worker->host);
    sh__worker_count_unfinished(stage->worker, stage, n, "refused by the hash");
    refusals->n += n;
    if (refusals->told == 0) {
        sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_BAD_EVENT, stage, error,
                "lost %u %s: %s", n, plural(n), sh_error_get(error)->message);
        refusals->told = n;
    } else if (now - refusals->told_ns >= interval_ns) {
        tell_sum(stage, refusals);
    } else {
        return;
    }
    refusals->told_ns = now;
}

void sh__refusals_end(sh_stage *stage)
{
    struct sh__refusals *refusals = &stage->out->dispatch.refusals;
    if (refusals->n > refusals->told)
        tell_sum(stage, refusals);
}

/* SPDX-License-Identifier: MIT
 *
 * The stages alive in a host, and how all of them are ended. */
#include "work/drain.h"

#include "consume/above.h"
#include "life/above.h"
#include "stage/alarm.h"
#include "stage/clock.h"
#include "stage/host_state.h"
#include "stage/log.h"
#include "stage/stage.h"
#include "work/crossing.h"

/* How long a drain lets a process put stages together. */
enum { PATIENCE_MS = 1000 };

static void order_all(sh_host *host, uint32_t orders)
{
    for (unsigned i = 0; i < host->n_workers; i++)
        sh__worker_order(&host->workers[i], orders);
}

/* -- failures -------------------------------------------------------------------------- */

/* Orders the call of opts.on_failure, if any stage has failed. */
static void tell_failure(sh_host *host)
{
    if (host->opts.on_failure && atomic_load(&host->has_failed))
        sh__worker_order(&host->workers[0], SH__ORDER_FAILURE);
}

void sh__host_record_failure(sh_host *host, sh_error *error)
{
    uv_mutex_lock(&host->lock);
    if (!host->first_failure)
        host->first_failure = sh_error_ref(error);
    uv_mutex_unlock(&host->lock);
    atomic_store(&host->has_failed, true);
    tell_failure(host);
}

void sh_worker_fail(sh_worker *worker, sh_error *error)
{
    const sh_error_fields *fields = sh_error_get(error);
    const char *message = fields->message ? fields->message : fields->name;
    sh__log(worker->host, SH_LOG_ERROR, SH_LOG_FAILED, NULL, error, "%s%s%s",
            fields->callback ? fields->callback : "", fields->callback ? " failed: " : "",
            message);
    worker->stages_failed++;
    sh__host_record_failure(worker->host, error);
}

/* -- what is alive --------------------------------------------------------------------- */

/* A drain goes from the sources to the sinks: when no stage produces any more, processes are told
 * to end (a script may first ask consumers for their results); when none is left, the
 * consumers. */
static void advance_drain(sh_host *host)
{
    if (!atomic_load(&host->drains) || atomic_load(&host->alive_sources) > 0)
        return;
    if (!atomic_exchange(&host->shutting_down, true))
        order_all(host, SH__ORDER_SHUTDOWN);
    if (atomic_load(&host->alive_processes) == 0 &&
        !atomic_exchange(&host->finishing, true))
        order_all(host, SH__ORDER_DRAIN);
}

void sh__host_stage_begins(sh_host *host, sh_kind kind)
{
    atomic_fetch_add(&host->alive, 1);
    if (kind == SH_PROCESS) {
        atomic_fetch_add(&host->alive_processes, 1);
        atomic_fetch_add(&host->building, 1);
    } else if (kind != SH_CONSUMER) {
        atomic_fetch_add(&host->alive_sources, 1);
    }
    atomic_fetch_add(&host->started, 1);
}

/* Called once for each stage: when it ends, or before. */
static void count_out(sh_host *host, sh_stage *stage)
{
    if (atomic_exchange(&stage->is_exempt, true))
        return;
    if (stage->kind == SH_PROCESS)
        atomic_fetch_sub(&host->alive_processes, 1);
    else if (stage->kind != SH_CONSUMER)
        atomic_fetch_sub(&host->alive_sources, 1);
}

void sh__host_exempt(sh_host *host, sh_stage *stage)
{
    count_out(host, stage);
    advance_drain(host);
}

void sh__host_stage_ended(sh_host *host, sh_stage *stage)
{
    count_out(host, stage);
    if (stage->kind == SH_PROCESS)
        tell_failure(host);
    if (atomic_fetch_sub(&host->alive, 1) == 1)
        sh__worker_order(&host->workers[0], SH__ORDER_QUIT);
    else
        advance_drain(host);
}

/* -- drain and stop -------------------------------------------------------------------- */

static void begin_drain(sh_host *host)
{
    if (atomic_exchange(&host->drains, true))
        return;
    order_all(host, SH__ORDER_DRAIN);
    advance_drain(host);
}

/* A drain that began while a process was putting stages together would take these stages away. */
void sh__host_built(sh_host *host)
{
    if (atomic_fetch_sub(&host->building, 1) == 1 && atomic_load(&host->draining))
        begin_drain(host);
}

static void on_drain_limit(struct sh__alarm *alarm)
{
    sh_host *host = alarm->host;
    uint64_t past_ms = (sh__clock_now(host) - host->drain_began) / 1000000;
    begin_drain(host);
    if (host->drain_timeout_ms == 0)
        return;
    if (past_ms >= host->drain_timeout_ms)
        sh_host_stop(host);
    else
        sh__alarm_start(alarm, host->drain_timeout_ms - past_ms, 0);
}

void sh__drain_limit(sh_host *host)
{
    uint64_t first = host->drain_timeout_ms;
    if (first == 0 || first > PATIENCE_MS)
        first = PATIENCE_MS;
    sh__alarm_open(&host->drain_alarm, &host->workers[0], on_drain_limit);
    host->drain_alarm_open = true;
    sh__alarm_start(&host->drain_alarm, first, 0);
    sh__alarm_unref(&host->drain_alarm);
}

int sh_host_drain(sh_host *host, uint64_t timeout_ms)
{
    if (atomic_exchange(&host->draining, true)) {
        begin_drain(host);
        return SH_ESTATE;
    }
    host->drain_began = sh__clock_now(host);
    host->drain_timeout_ms = timeout_ms;
    sh__worker_order(&host->workers[0], SH__ORDER_LIMIT);
    if (atomic_load(&host->building) == 0)
        begin_drain(host);
    return SH_OK;
}

void sh_host_stop(sh_host *host)
{
    if (atomic_load(&host->alive) == 0 || atomic_load(&host->exited) ||
        atomic_exchange(&host->killed, true))
        return;
    order_all(host, SH__ORDER_KILL);
}

void sh_host_exit(sh_host *host, int status)
{
    if (atomic_exchange(&host->exited, true))
        return;
    sh_host_set_exit_status(host, status);
    order_all(host, SH__ORDER_KILL);
}

void sh_host_decline(sh_host *host)
{
    if (!atomic_exchange(&host->declined, true))
        sh_host_drain(host, host->opts.drain_timeout_ms);
}

bool sh_host_is_stopping(const sh_host *host)
{
    return sh__host_is_stopping(host);
}

bool sh_host_is_draining(const sh_host *host)
{
    return atomic_load(&host->draining);
}

void sh_host_dump(sh_host *host)
{
    order_all(host, SH__ORDER_DUMP);
}

static void on_closed(struct sh__alarm *alarm)
{
    alarm->host->drain_alarm_open = false;
}

void sh__drain_close(sh_host *host)
{
    if (!host->drain_alarm_open)
        return;
    sh__alarm_close(&host->drain_alarm, on_closed);
    while (host->drain_alarm_open)
        uv_run(host->workers[0].loop, UV_RUN_NOWAIT);
}

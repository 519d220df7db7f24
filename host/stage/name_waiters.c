/* SPDX-License-Identifier: MIT
 *
 * The stages that wait for a stage with some name to be started. */
#include "stage/name_waiters.h"

#include <string.h>

#include "stage/clock.h"
#include "stage/host_state.h"
#include "stage/registry.h"
#include "stage/request.h"
#include "stage/stage.h"

struct sh__name_waiter {
    struct sh__name_waiter *next;
    sh_from from;         /* a reference */
    uint64_t deadline_ns; /* by then its timer has answered it; 0: never */
    char name[];
};

static void waiter_free(struct sh__name_waiter *waiter)
{
    sh_stage_unref(waiter->from.stage);
    sh_free(waiter);
}

/* Takes out the waiters for `name`, and those that are late or have ended; returns the former as a
 * list and frees the latter. Under the lock. */
static struct sh__name_waiter *take_matching(sh_host *host, const char *name)
{
    struct sh__name_waiter *matching = NULL, **link = &host->name_waiters;
    uint64_t now = sh__clock_now(host);
    while (*link) {
        struct sh__name_waiter *waiter = *link;
        bool is_late = waiter->deadline_ns && now > waiter->deadline_ns;
        bool matches = name && strcmp(waiter->name, name) == 0;
        if (!matches && !is_late && sh_stage_is_alive(waiter->from.stage)) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        if (matches) {
            waiter->next = matching;
            matching = waiter;
        } else {
            waiter_free(waiter);
        }
    }
    return matching;
}

void sh__name_taken(sh_worker *worker, sh_stage *stage)
{
    sh_host *host = worker->host;
    if (!atomic_load(&host->has_name_waiters))
        return;
    uv_mutex_lock(&host->lock);
    struct sh__name_waiter *waiters = take_matching(host, stage->name);
    atomic_store(&host->has_name_waiters, host->name_waiters != NULL);
    uv_mutex_unlock(&host->lock);
    while (waiters) {
        struct sh__name_waiter *waiter = waiters;
        waiters = waiter->next;
        sh__reply_stage(worker, waiter->from, stage);
        waiter_free(waiter);
    }
}

/* Adds the waiter (taken) unless a stage has the name by now, which is returned. */
static sh_stage *add(sh_host *host, struct sh__name_waiter *waiter)
{
    uv_mutex_lock(&host->lock);
    sh_stage *stage = sh__registry_find(host, waiter->name);
    if (stage) {
        sh_stage_ref(stage);
    } else {
        take_matching(host, NULL);
        waiter->next = host->name_waiters;
        host->name_waiters = waiter;
        atomic_store(&host->has_name_waiters, true);
    }
    uv_mutex_unlock(&host->lock);
    return stage;
}

int sh_await_name(sh_worker *worker, const char *name, uint64_t timeout_ms, sh_from from)
{
    size_t size = strlen(name) + 1;
    struct sh__name_waiter *waiter = sh_malloc(sizeof *waiter + size);
    if (!waiter)
        return SH_ENOMEM;
    *waiter = (struct sh__name_waiter){.from = from};
    memcpy(waiter->name, name, size);
    sh_stage_ref(from.stage);
    if (timeout_ms > 0)
        waiter->deadline_ns = sh__clock_now(worker->host) + timeout_ms * UINT64_C(1000000);
    int status = timeout_ms ? sh_timer_limit(from.stage, timeout_ms, from.ref) : SH_OK;
    sh_stage *stage = status < 0 ? NULL : add(worker->host, waiter);
    if (stage)
        sh__reply_stage(worker, from, stage);
    sh_stage_unref(stage);
    if (status < 0 || stage)
        waiter_free(waiter);
    return status;
}

void sh__name_waiters_free(sh_host *host)
{
    while (host->name_waiters) {
        struct sh__name_waiter *waiter = host->name_waiters;
        host->name_waiters = waiter->next;
        waiter_free(waiter);
    }
}

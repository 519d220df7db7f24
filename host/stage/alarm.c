/* SPDX-License-Identifier: MIT */
#include "stage/alarm.h"

#include "stage/clock.h"
#include "stage/worker_state.h"

static const uint64_t ns_per_ms = 1000000;

static struct sh__alarm *alarm_of(uv_timer_t *handle)
{
    return sh__container_of(handle, struct sh__alarm, handle);
}

static void on_timer(uv_timer_t *handle)
{
    struct sh__alarm *alarm = alarm_of(handle);
    alarm->ring(alarm);
}

static void on_closed(uv_handle_t *handle)
{
    struct sh__alarm *alarm = alarm_of((uv_timer_t *)handle);
    alarm->closed(alarm);
}

/* Puts the alarm behind those of the same time. Most are later than all others. */
static void insert(struct sh__alarm *alarm)
{
    struct sh__link *head = &alarm->host->alarms, *before = head->prev;
    while (before != head &&
           sh__container_of(before, struct sh__alarm, link)->due_ns > alarm->due_ns)
        before = before->prev;
    sh__link_append(before->next, &alarm->link);
}

void sh__alarm_open(struct sh__alarm *alarm, sh_worker *worker,
                    void (*ring)(struct sh__alarm *alarm))
{
    alarm->host = worker->host;
    alarm->ring = ring;
    sh__link_init(&alarm->link);
    if (!alarm->host->opts.virtual_clock)
        uv_timer_init(worker->loop, &alarm->handle);
}

void sh__alarm_start(struct sh__alarm *alarm, uint64_t after_ms, uint64_t every_ms)
{
    if (alarm->host->opts.virtual_clock) {
        alarm->due_ns = sh__clock_now(alarm->host) + after_ms * ns_per_ms;
        alarm->every_ns = every_ms * ns_per_ms;
        insert(alarm);
        return;
    }
    uv_update_time(alarm->handle.loop);
    uv_timer_start(&alarm->handle, on_timer, after_ms, every_ms);
}

void sh__alarm_close(struct sh__alarm *alarm, void (*closed)(struct sh__alarm *alarm))
{
    if (alarm->host->opts.virtual_clock) {
        sh__link_remove(&alarm->link);
        closed(alarm);
        return;
    }
    alarm->closed = closed;
    uv_close((uv_handle_t *)&alarm->handle, on_closed);
}

void sh__alarm_unref(struct sh__alarm *alarm)
{
    if (!alarm->host->opts.virtual_clock)
        uv_unref((uv_handle_t *)&alarm->handle);
}

/* -- the virtual clock ----------------------------------------------------------------- */

/* Alarms that are started meanwhile ring the next time, even if they are due at once: otherwise one
 * that is started again by its own ring would never end this. */
static void ring_due(sh_host *host, uint64_t now)
{
    struct sh__link due;
    sh__link_init(&due);
    while (!sh__link_is_empty(&host->alarms) &&
           sh__container_of(host->alarms.next, struct sh__alarm, link)->due_ns <= now) {
        struct sh__link *link = host->alarms.next;
        sh__link_remove(link);
        sh__link_append(&due, link);
    }
    while (!sh__link_is_empty(&due)) {
        struct sh__alarm *alarm = sh__container_of(due.next, struct sh__alarm, link);
        sh__link_remove(&alarm->link);
        if (alarm->every_ns > 0) {
            alarm->due_ns = now + alarm->every_ns;
            insert(alarm);
        }
        alarm->ring(alarm);
    }
}

bool sh__alarms_leap(sh_host *host)
{
    if (sh__link_is_empty(&host->alarms))
        return false;
    uint64_t due = sh__container_of(host->alarms.next, struct sh__alarm, link)->due_ns;
    uint64_t now = sh__clock_now(host);
    if (due < now)
        due = now;
    atomic_store_explicit(&host->virtual_ns, due, memory_order_relaxed);
    ring_due(host, due);
    return true;
}

void sh__alarms_pass(sh_host *host, uint64_t ns)
{
    uint64_t now = sh__clock_now(host) + ns;
    atomic_store_explicit(&host->virtual_ns, now, memory_order_relaxed);
    ring_due(host, now);
}

/* SPDX-License-Identifier: MIT
 *
 * The handlers count and wake worker 0, which does the work. libuv's own signal handles
 * would never run while a callback runs for ever, and so would not see the second ^C. So a
 * handler that finds the previous signal still waiting after a second ends the process
 * itself; without a further signal an alarm does. */
#include "command/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/status.h"
#include "command/watch.h"

/* Two stop signals within SAME_MS count as one, sent to both the process and its group. */
enum { STUCK_MS = 1000, GRACE_S = 5, SAME_MS = 500 };

/* The state that signal handlers reach, since a signal has no argument. Guarded by being atomic. */
static struct {
    _Atomic(uv_async_t *) wake;
    atomic_uint n_stops, n_dumps;
    atomic_int last;            /* number of the last stop signal */
    atomic_ulong stopped_at;    /* ms + 1, when the last stop signal was counted */
    atomic_ulong waiting_since; /* ms + 1; 0: worker 0 has seen all */
    atomic_bool is_given_up;
    atomic_uint drain_s; /* 0: no limit */
} shared;

/* -- in the handler: async-signal-safe functions only ---------------------------------- */

static unsigned long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

/* Lets the watchdog end the process, which can report more; the alarm ends it if that fails. */
static void give_up(int number)
{
    static const char text[] =
        "stagehost: a callback does not return; the process ends without its events\n";
    (void)number;
    if (!atomic_exchange(&shared.is_given_up, true)) {
        watch_give_up();
        alarm(GRACE_S);
        return;
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(CLI_STATUS_CUT_SHORT);
    _exit(CLI_STATUS_CUT_SHORT);
}

static void wake_worker(void)
{
    uv_async_t *wake = atomic_load(&shared.wake);
    if (wake)
        uv_async_send(wake);
}

static void on_stop(int number)
{
    int saved = errno;
    unsigned long none = 0, now = now_ms() + 1, before = atomic_load(&shared.stopped_at);
    if (before > 0 && now - before < SAME_MS)
        return;
    atomic_store(&shared.stopped_at, now);
    atomic_store(&shared.last, number);
    unsigned n = atomic_fetch_add(&shared.n_stops, 1);
    bool is_first_waiting =
        atomic_compare_exchange_strong(&shared.waiting_since, &none, now);
    if (!is_first_waiting && now - none >= STUCK_MS) {
        give_up(number);
        errno = saved;
        return;
    }
    unsigned drain_s = atomic_load(&shared.drain_s);
    if (n > 0)
        alarm(GRACE_S);
    else if (drain_s > 0)
        alarm(drain_s + GRACE_S);
    wake_worker();
    errno = saved;
}

static void on_dump(int number)
{
    int saved = errno;
    (void)number;
    atomic_fetch_add(&shared.n_dumps, 1);
    watch_ask();
    wake_worker();
    errno = saved;
}

static void on_write(int number)
{
    (void)number;
}

/* -- on worker 0 ----------------------------------------------------------------------- */

static void drain(struct signals *signals, const char *name)
{
    sh_worker *worker = sh_host_worker0(signals->host);
    if (signals->drain_timeout_ms > 0)
        sh_log(worker, SH_LOG_INFO, NULL,
               "%s: draining for at most %.3g s; a second signal stops at once", name,
               (double)signals->drain_timeout_ms / 1000);
    else
        sh_log(worker, SH_LOG_INFO, NULL, "%s: draining; a second signal stops at once",
               name);
    sh_host_drain(signals->host, signals->drain_timeout_ms);
}

static void stop(struct signals *signals, const char *name)
{
    sh_log(sh_host_worker0(signals->host), SH_LOG_WARN, NULL, "%s again: stopping at once",
           name);
    sh_host_stop(signals->host);
}

static void on_wake(uv_async_t *handle)
{
    struct signals *signals = handle->data;
    atomic_store(&shared.waiting_since, 0);
    unsigned n = atomic_load(&shared.n_stops);
    const char *name = atomic_load(&shared.last) == SIGINT ? "SIGINT" : "SIGTERM";
    for (; signals->n_taken < n; signals->n_taken++) {
        if (signals->n_taken == 0)
            drain(signals, name);
        else if (signals->n_taken == 1)
            stop(signals, name);
    }
    if (atomic_exchange(&shared.n_dumps, 0) > 0)
        sh_host_dump(signals->host);
}

/* -- life ------------------------------------------------------------------------------ */

/* A signal that the process was started to ignore (nohup, a shell's background job) can stay
 * ignored. */
enum ignored { STAYS_IGNORED, IS_HANDLED };

static void set_handler(int number, void (*handler)(int), enum ignored ignored)
{
    struct sigaction old, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (ignored == STAYS_IGNORED && sigaction(number, NULL, &old) == 0 &&
        old.sa_handler == SIG_IGN)
        return;
    sigaction(number, &action, NULL);
}

static unsigned whole_seconds(uint64_t ms)
{
    enum { MOST = 1000000000 };
    uint64_t s = (ms + 999) / 1000;
    return s > MOST ? MOST : (unsigned)s;
}

int signals_open(struct signals *signals, sh_host *host, uv_loop_t *loop,
                 uint64_t drain_timeout_ms)
{
    *signals = (struct signals){.host = host, .drain_timeout_ms = drain_timeout_ms};
    int status = uv_async_init(loop, &signals->wake, on_wake);
    if (status < 0) {
        signals->host = NULL;
        return status;
    }
    uv_unref((uv_handle_t *)&signals->wake);
    signals->wake.data = signals;
    atomic_store(&shared.drain_s, whole_seconds(drain_timeout_ms));
    atomic_store(&shared.wake, &signals->wake);
    set_handler(SIGALRM, give_up, IS_HANDLED);
    set_handler(SIGTERM, on_stop, STAYS_IGNORED);
    set_handler(SIGINT, on_stop, STAYS_IGNORED);
    set_handler(SIGUSR1, on_dump, IS_HANDLED);
    return 0;
}

void signals_close(struct signals *signals)
{
    if (!signals->host)
        return;
    alarm(0);
    set_handler(SIGTERM, SIG_DFL, STAYS_IGNORED);
    set_handler(SIGINT, SIG_DFL, STAYS_IGNORED);
    set_handler(SIGUSR1, SIG_IGN, IS_HANDLED);
    set_handler(SIGALRM, SIG_DFL, IS_HANDLED);
    atomic_store(&shared.wake, NULL);
    uv_close((uv_handle_t *)&signals->wake, NULL);
    signals->host = NULL;
}

void signals_ignore_writes(void)
{
    set_handler(SIGPIPE, on_write, IS_HANDLED);
    set_handler(SIGXFSZ, on_write, IS_HANDLED);
}

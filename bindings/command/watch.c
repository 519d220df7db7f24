/* SPDX-License-Identifier: MIT */
#include "command/watch.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/report.h"
#include "command/status.h"
#include "stagehost_lua.h"

/* The interval at which the thread looks; the time after which a callback counts as stuck; the time
 * for Lua code to answer, for other stages to end, and for a host that is stopped to end. */
enum {
    LOOK_MS = 1000,
    LASTING_MS = 1000,
    ANSWER_MS = 100,
    OTHERS_MS = 2000,
    PATIENCE_MS = 2000
};

/* The state that signal handlers reach. */
static struct {
    sem_t wake;
    atomic_bool is_open, is_over, is_asked, is_hopeless;
} shared;

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* -- in a handler ---------------------------------------------------------------------- */

static void wake(atomic_bool *what)
{
    if (!atomic_load(&shared.is_open))
        return;
    atomic_store(what, true);
    sem_post(&shared.wake);
}

void watch_ask(void)
{
    wake(&shared.is_asked);
}

void watch_give_up(void)
{
    wake(&shared.is_hopeless);
}

static void on_interrupt(int number)
{
    int saved = errno;
    (void)number;
    sh_lua_interrupt();
    errno = saved;
}

/* -- naming ---------------------------------------------------------------------------- */

/* The traceback of the Lua code; owned. NULL: the code does not answer. */
static char *ask_for_traceback(struct watch *watch, const sh_busy *busy, bool kill)
{
    sh_lua_interrupt_prepare(kill);
    if (sh_host_interrupt(watch->host, busy, SIGRTMIN))
        for (long ms = 0; ms < ANSWER_MS && !sh_lua_interrupt_is_answered(); ms += 5)
            sleep_ms(5);
    return sh_lua_interrupt_answer();
}

/* Logs a callback that does not return. Returns whether the Lua code answers, so that it can be
 * told to end. */
static bool name(struct watch *watch, const sh_busy *busy, bool kill)
{
    char text[512];
    char *traceback = ask_for_traceback(watch, busy, kill);
    sh_busy_text(busy, text, sizeof text);
    sh_log(sh_host_worker0(watch->host), SH_LOG_WARN, busy->stage[0] ? busy->stage : NULL,
           "does not return: %s%s%s", text, traceback ? "\n" : ", in compiled code or in C",
           traceback ? traceback : "");
    bool answers = traceback != NULL;
    free(traceback);
    return answers;
}

static void name_asked(void *data, const sh_busy *busy)
{
    name(data, busy, false);
}

/* -- giving up ------------------------------------------------------------------------- */

static void diagnose_busy(void *data, const sh_busy *busy)
{
    const struct watch *watch = data;
    char text[512];
    sh_busy_text(busy, text, sizeof text);
    log_sink_diagnose(
        watch->sink, SH_LOG_ERROR, busy->stage[0] ? busy->stage : NULL, NULL,
        "a callback does not return; the process ends without it, and does not "
        "count its events: %s",
        text);
}

/* Ends the process, after reporting the ledger of the workers that are able to end. */
static _Noreturn void give_up(struct watch *watch)
{
    sh_host_stop(watch->host);
    for (long ms = 0; ms < OTHERS_MS && !sh_host_is_only_busy(watch->host); ms += 10)
        sleep_ms(10);
    sh_host_each_busy(watch->host, 0, diagnose_busy, watch);
    enum cli_status status = CLI_STATUS_CUT_SHORT;
    if (sh_host_is_only_busy(watch->host))
        status = report_end(watch->sink, watch->host, watch->options->log_level);
    alarm(1); /* do not wait for an output without a reader */
    fflush(stdout);
    _exit(status == CLI_STATUS_OK ? CLI_STATUS_CUT_SHORT : (int)status);
}

/* -- looking --------------------------------------------------------------------------- */

/* Names each callback that does not return once, and ends it if requested. */
static void bark(void *data, const sh_busy *busy)
{
    struct watch *watch = data;
    if (watch->reported[busy->worker] == busy->run)
        return;
    watch->reported[busy->worker] = busy->run;
    if (!name(watch, busy, watch->options->kill_stuck) && watch->options->kill_stuck)
        give_up(watch);
}

static void note_busy(void *data, const sh_busy *busy)
{
    (void)busy;
    *(bool *)data = true;
}

/* Gives up a stopped host that a callback keeps from ending. */
static void look_at_the_end(struct watch *watch)
{
    if (!sh_host_is_stopping(watch->host))
        return;
    uint64_t now = now_ms();
    bool is_kept = false;
    if (watch->ending_since == 0) {
        watch->ending_since = now;
        sh_host_each_busy(watch->host, LASTING_MS, name_asked, watch);
    }
    sh_host_each_busy(watch->host, LASTING_MS, note_busy, &is_kept);
    if (is_kept && now - watch->ending_since >= PATIENCE_MS)
        give_up(watch);
}

static void look(struct watch *watch)
{
    uint64_t limit = watch->options->watchdog_ms;
    if (atomic_exchange(&shared.is_asked, false))
        sh_host_each_busy(watch->host, LASTING_MS, name_asked, watch);
    if (limit > 0)
        sh_host_each_busy(watch->host, limit, bark, watch);
    look_at_the_end(watch);
    if (atomic_load(&shared.is_hopeless))
        give_up(watch);
}

static void wait_for_a_look(const struct watch *watch)
{
    uint64_t limit = watch->options->watchdog_ms, ms = LOOK_MS;
    if (limit > 0 && limit / 4 < ms)
        ms = limit / 4 + 1;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    sem_timedwait(&shared.wake, &until);
}

static void run(void *arg)
{
    struct watch *watch = arg;
    while (!atomic_load(&shared.is_over)) {
        wait_for_a_look(watch);
        if (!atomic_load(&shared.is_over))
            look(watch);
    }
}

/* -- life ------------------------------------------------------------------------------ */

int watch_open(struct watch *watch, const struct cli_options *options, sh_host *host,
               struct log_sink *sink)
{
    *watch = (struct watch){.options = options, .host = host, .sink = sink};
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGRTMIN, &action, NULL);
    watch->reported = calloc(sh_host_workers(host), sizeof *watch->reported);
    if (!watch->reported)
        return UV_ENOMEM;
    sem_init(&shared.wake, 0, 0);
    int status = uv_thread_create(&watch->thread, run, watch);
    if (status < 0) {
        sem_destroy(&shared.wake);
        free(watch->reported);
        watch->reported = NULL;
        return status;
    }
    atomic_store(&shared.is_open, true);
    return 0;
}

void watch_close(struct watch *watch)
{
    if (!watch->reported)
        return;
    atomic_store(&shared.is_open, false);
    atomic_store(&shared.is_over, true);
    sem_post(&shared.wake);
    uv_thread_join(&watch->thread);
    free(watch->reported);
    watch->reported = NULL;
}

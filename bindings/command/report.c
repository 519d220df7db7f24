/* SPDX-License-Identifier: MIT */
#include "command/report.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/crossings.h"

static const char *plural(uint64_t n)
{
    return n == 1 ? "event" : "events";
}

static void report_unfinished_stage(void *data, const char *stage, uint64_t events,
                                    const char *where)
{
    log_sink_diagnose(data, SH_LOG_ERROR, stage, NULL, "%" PRIu64 " %s unfinished: %s",
                      events, plural(events), where);
}

static void report_unfinished(struct log_sink *sink, const sh_host *host,
                              const sh_host_summary *summary)
{
    const char *lead = summary->killed ? "stopped before the drain was complete; " : "";
    if (summary->unfinished > 0)
        log_sink_diagnose(sink, SH_LOG_ERROR, NULL, NULL, "%s%" PRIu64 " %s unfinished",
                          lead, summary->unfinished,
                          summary->unfinished == 1 ? "event is" : "events are");
    else if (summary->killed)
        log_sink_diagnose(sink, SH_LOG_ERROR, NULL, NULL, "%sno event is unfinished", lead);
    sh_host_each_unfinished(host, report_unfinished_stage, sink);
}

/* The core has logged every failure, unless nothing at all is logged. */
static void report_failure(struct log_sink *sink, const sh_host *host)
{
    const sh_error *failure = sh_host_first_failure(host);
    const char *message = sh_error_get(failure)->message;
    if (failure)
        log_sink_diagnose(sink, SH_LOG_ERROR, sh_error_get(failure)->stage, failure, "%s",
                          message ? message : "");
}

static void report_count(struct log_sink *sink, sh_log_level level, uint64_t n,
                         const char *what)
{
    if (n > 0)
        log_sink_diagnose(sink, level, NULL, NULL, "%" PRIu64 " %s %s", n,
                          n == 1 ? "event was" : "events were", what);
}

enum cli_status report_end(struct log_sink *sink, const sh_host *host, sh_log_level level)
{
    sh_host_summary summary;
    sh_host_get_summary(host, &summary);
    log_sink_flush(sink);
    if (summary.stages_failed > 0 && level < SH_LOG_ERROR)
        report_failure(sink, host);
    if (level >= SH_LOG_DEBUG) {
        crossings_report(sink, host);
        report_count(sink, SH_LOG_DEBUG, summary.declined, "declined");
        if (summary.combined > 0)
            report_count(sink, SH_LOG_DEBUG, (uint64_t)summary.combined,
                         "combined into others");
    }
    if (level >= SH_LOG_INFO) {
        report_count(sink, SH_LOG_INFO, summary.discarded, "discarded");
        report_count(sink, SH_LOG_INFO, summary.skipped, "skipped");
        report_count(sink, SH_LOG_INFO, summary.dead_lettered,
                     "sent to dead-letter stages");
        report_count(sink, SH_LOG_INFO, summary.redelivered, "delivered again");
    }
    int wanted = sh_host_exit_status(host);
    if (wanted == 0 && summary.exited && summary.unfinished > 0)
        wanted = -1;
    if (wanted < 0 || level >= SH_LOG_INFO)
        report_unfinished(sink, host, &summary);
    if (wanted >= 0 && !summary.killed)
        return (enum cli_status)wanted;
    if (summary.killed)
        return CLI_STATUS_CUT_SHORT;
    if (summary.stages_failed > 0 && !summary.exited)
        return CLI_STATUS_FAILED;
    return summary.unfinished > 0 ? CLI_STATUS_CUT_SHORT : CLI_STATUS_OK;
}

/* Whether standard output has lost its reader, which is no failure for a filter. */
static bool is_broken_pipe(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

/* Returns 0, or a negative errno; -EIO for a write that failed earlier. */
static int flush_stdout(void)
{
    bool failed_before = ferror(stdout) != 0;
    int status = fflush(stdout) != 0 ? -errno : failed_before ? -EIO : 0;
    return status < 0 && is_broken_pipe() ? 0 : status;
}

/* Standard output has been flushed, so nothing is left to do at the end of the process. */
static bool is_flushed;

static void flush_at_exit(void)
{
    int status = is_flushed ? 0 : flush_stdout();
    if (status < 0) {
        fprintf(stderr, "stagehost: standard output: %s\n", strerror(-status));
        _exit(CLI_STATUS_FAILED);
    }
}

void report_guard_exit(void)
{
    atexit(flush_at_exit);
}

enum cli_status report_flush_stdout(struct log_sink *sink)
{
    int status = flush_stdout();
    is_flushed = true;
    if (status == 0)
        return CLI_STATUS_OK;
    log_sink_diagnose(sink, SH_LOG_ERROR, NULL, NULL, "standard output: %s",
                      strerror(-status));
    return CLI_STATUS_FAILED;
}

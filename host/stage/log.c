/* SPDX-License-Identifier: MIT */
#include "stage/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "stage/host_state.h"
#include "stage/stage.h"

static const char *const code_names[] = {
#define XX(name, text) text,
    SH_LOG_MAP(XX)
#undef XX
};

const char *sh_log_code_name(sh_log_code code)
{
    size_t n = sizeof code_names / sizeof *code_names;
    return (size_t)code < n ? code_names[code] : "unknown";
}

static bool is_enabled(const sh_host *host, sh_log_level level)
{
    return host->opts.log && level <= host->opts.log_level;
}

static void write_record(sh_host *host, const sh_log_record *record)
{
    uv_mutex_lock(&host->log_lock);
    host->opts.log(host->opts.log_data, record);
    uv_mutex_unlock(&host->log_lock);
}

/* Formats into a buffer on the stack, or a longer one if that is too short. */
static void log_formatted(sh_host *host, sh_log_record *record, const char *fmt,
                          va_list args)
{
    char small[512];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, fmt, args);
    char *large = NULL;
    if (len >= (int)sizeof small && (large = sh_malloc((size_t)len + 1)))
        vsnprintf(large, (size_t)len + 1, fmt, again);
    va_end(again);
    record->message = large ? large : small;
    write_record(host, record);
    sh_free(large);
}

void sh__log(sh_host *host, sh_log_level level, sh_log_code code, const sh_stage *stage,
             const sh_error *error, const char *fmt, ...)
{
    if (!is_enabled(host, level))
        return;
    sh_log_record record = {.level = level, .code = code, .error = error};
    record.stage = stage ? sh__stage_label(stage) : NULL;
    va_list args;
    va_start(args, fmt);
    log_formatted(host, &record, fmt, args);
    va_end(args);
}

void sh_log(sh_worker *worker, sh_log_level level, const char *stage, const char *fmt, ...)
{
    if (!is_enabled(worker->host, level))
        return;
    sh_log_record record = {.level = level, .code = SH_LOG_USER, .stage = stage};
    va_list args;
    va_start(args, fmt);
    log_formatted(worker->host, &record, fmt, args);
    va_end(args);
}

void sh_log_as(sh_worker *worker, sh_log_level level, sh_log_code code, const char *stage,
               const char *fmt, ...)
{
    if (!is_enabled(worker->host, level))
        return;
    sh_log_record record = {.level = level, .code = code, .stage = stage};
    va_list args;
    va_start(args, fmt);
    log_formatted(worker->host, &record, fmt, args);
    va_end(args);
}

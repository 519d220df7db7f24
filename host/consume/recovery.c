/* SPDX-License-Identifier: MIT
 *
 * When handle_events fails, on_error says whether the stage ends, which is the default, goes on
 * without the batch, or tries it again. The unit is the batch that the callback was given: it is
 * unknown at which event the callback failed, unless it says so (failed.c). */
#include "consume/recovery.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "consume/dead_letter.h"
#include "consume/failed.h"
#include "produce/above.h"
#include "stage/above.h"
#include "stage/log.h"
#include "stage/run_queue.h"
#include "stage/timer.h"

/* -- options --------------------------------------------------------------------------- */

static int bad(sh_error **error, const char *name, const char *text)
{
    if (error)
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, name, "option \"%s\" %s", name,
                              text);
    return SH_EBADOPT;
}

static bool wants_letters(const sh_stage_opts *opts)
{
    return opts->on_error == SH_ON_ERROR_DEAD_LETTER ||
           (opts->on_error == SH_ON_ERROR_RETRY &&
            opts->retry.after == SH_ON_ERROR_DEAD_LETTER);
}

int sh__recovery_check(const sh_stage_opts *opts, sh_error **error)
{
    bool has_target = opts->dead_letter || opts->dead_letter_name;
    if (opts->on_error != SH_ON_ERROR_STOP && opts->kind != SH_CONSUMER &&
        opts->kind != SH_PRODUCER_CONSUMER)
        return bad(error, "on_error", "is for stages that consume");
    if (has_target && opts->kind == SH_PROCESS)
        return bad(error, "dead_letter", "is for stages that produce or consume");
    if (wants_letters(opts) && !has_target)
        return bad(error, "on_error",
                   "needs the option \"dead_letter\" to send letters to");
    if (opts->on_error != SH_ON_ERROR_RETRY)
        return SH_OK;
    if (opts->retry.after == SH_ON_ERROR_RETRY)
        return bad(error, "on_error", "can't go on with \"retry\" after its last try");
    if (opts->retry.delay_ms < SH_RETRY_NOW)
        return bad(error, "on_error", "has a negative delay");
    if (opts->retry.factor != 0 && !(opts->retry.factor >= 1))
        return bad(error, "on_error", "has a factor below 1");
    if (!(opts->retry.jitter >= 0 && opts->retry.jitter <= 1))
        return bad(error, "on_error", "has a jitter that is not between 0 and 1");
    return SH_OK;
}

struct sh__recovery *sh__recovery_of(sh_stage *stage)
{
    if (!stage->recovery)
        stage->recovery = sh__calloc(1, sizeof *stage->recovery);
    return stage->recovery;
}

static void drop_target(struct sh__recovery *recovery)
{
    sh_stage_unref(recovery->dead_letter);
    sh_free(recovery->dead_letter_name);
    recovery->dead_letter = NULL;
    recovery->dead_letter_name = NULL;
}

static int set_target(struct sh__recovery *recovery, const sh_stage_opts *opts)
{
    drop_target(recovery);
    if (opts->dead_letter)
        recovery->dead_letter = sh_stage_ref(opts->dead_letter);
    if (!opts->dead_letter_name)
        return SH_OK;
    size_t size = strlen(opts->dead_letter_name) + 1;
    recovery->dead_letter_name = sh_malloc(size);
    if (!recovery->dead_letter_name)
        return SH_ENOMEM;
    memcpy(recovery->dead_letter_name, opts->dead_letter_name, size);
    return SH_OK;
}

int sh__recovery_configure(sh_stage *stage, const sh_stage_opts *opts)
{
    bool is_wanted =
        opts->on_error != SH_ON_ERROR_STOP || opts->dead_letter || opts->dead_letter_name;
    if (!is_wanted && !stage->recovery)
        return SH_OK;
    struct sh__recovery *recovery = sh__recovery_of(stage);
    if (!recovery)
        return SH_ENOMEM;
    const sh_retry *retry = &opts->retry;
    recovery->on_error = (uint8_t)opts->on_error;
    recovery->after = (uint8_t)retry->after;
    recovery->times = retry->times ? retry->times : SH_RETRY_TIMES;
    recovery->delay_ms = retry->delay_ms ? retry->delay_ms : SH_RETRY_DELAY_MS;
    recovery->factor = retry->factor != 0 ? retry->factor : SH_RETRY_FACTOR;
    recovery->cap_ms = retry->cap_ms;
    recovery->jitter = retry->jitter;
    return set_target(recovery, opts);
}

void sh__recovery_end(sh_stage *stage)
{
    if (!stage->recovery)
        return;
    sh__dead_letter_close(stage);
    sh__failed_forget(stage->recovery);
    drop_target(stage->recovery);
}

void sh__recovery_free(struct sh__recovery *recovery)
{
    if (!recovery)
        return;
    sh__failed_forget(recovery);
    drop_target(recovery);
    sh_free(recovery);
}

/* -- failing --------------------------------------------------------------------------- */

static const char *text_of(const sh_error *error)
{
    const sh_error_fields *fields = sh_error_get(error);
    return fields->message ? fields->message : fields->name;
}

void sh__recovery_skip(sh_stage *stage, uint32_t n, const sh_error *error)
{
    stage->recovery->skipped += n;
    stage->worker->totals_skipped += n;
    sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_SKIPPED, stage, error,
            "skipped %u event%s: %s", n, n == 1 ? "" : "s", text_of(error));
}

/* A random number in [0, 1). */
static double draw(sh_worker *worker)
{
    return (double)(sh__random(&worker->random) >> 11) * 0x1p-53;
}

/* delay * factor ^ tries, up to the cap and as far as a timer can count; a share of it is
 * random. */
static uint64_t next_delay(const struct sh__recovery *recovery, sh_worker *worker)
{
    double most = recovery->cap_ms > 0 ? (double)recovery->cap_ms : 0x1p40;
    double delay = recovery->delay_ms > 0 ? (double)recovery->delay_ms : 0;
    for (uint32_t i = 0; i < recovery->tries && delay < most; i++)
        delay *= recovery->factor;
    if (delay > most)
        delay = most;
    if (recovery->jitter > 0)
        delay *= 1 - recovery->jitter * draw(worker);
    return (uint64_t)delay;
}

/* False: the batch has had all its tries. */
static bool retry(sh_stage *stage, const sh_error *error)
{
    struct sh__recovery *recovery = stage->recovery;
    if (recovery->tries >= recovery->times)
        return false;
    uint64_t delay =
        recovery->has_asked ? recovery->asked_ms : next_delay(recovery, stage->worker);
    recovery->has_asked = false;
    if (!sh__timer_retry(stage, delay))
        return false;
    uint32_t n = stage->now.batch.n;
    recovery->tries++;
    recovery->is_retrying = true;
    recovery->is_due = false;
    stage->is_waiting = true;
    sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_RETRY, stage, error,
            "try %llu of %llu failed, next in %llu ms (%u event%s): %s",
            (unsigned long long)recovery->tries, (unsigned long long)recovery->times + 1,
            (unsigned long long)delay, n, n == 1 ? "" : "s", text_of(error));
    return true;
}

/* Notifications that the callback sent to its own consumers belong to the result that it would
 * have returned. */
static void forget_told(sh_stage *stage)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(&stage->now.told)))
        sh__marker_free(marker);
}

static void empty_result(sh_result *r)
{
    sh_batch_unref(r->events);
    sh_batch_unref(r->reply);
    sh_error_unref(r->reason);
    *r = (sh_result){0};
}

bool sh__recovery_try(sh_stage *stage, sh_result *r)
{
    struct sh__recovery *recovery = stage->recovery;
    if (!recovery || stage->now.callback != SH__CALLBACK_EVENTS ||
        recovery->on_error == SH_ON_ERROR_STOP)
        return false;
    if (recovery->failed_at != stage->stats.events_in)
        recovery->tries = 0; /* another batch */
    recovery->failed_at = stage->stats.events_in;
    enum sh_on_error how = recovery->on_error;
    bool again = how == SH_ON_ERROR_RETRY && retry(stage, r->reason);
    recovery->has_asked = false;
    if (how == SH_ON_ERROR_RETRY && !again)
        how = recovery->after;
    if (how == SH_ON_ERROR_STOP)
        return false;
    if (how == SH_ON_ERROR_SKIP)
        sh__recovery_skip(stage, stage->now.batch.n, r->reason);
    else if (how == SH_ON_ERROR_DEAD_LETTER)
        sh__dead_letter(stage, stage->now.batch, r->reason, sh__stage_label(stage),
                        recovery->tries + 1);
    forget_told(stage);
    empty_result(r);
    return true;
}

void sh__recovery_due(sh_stage *stage)
{
    if (!stage->recovery->is_retrying)
        return;
    stage->recovery->is_due = true;
    sh__worker_schedule(stage->worker, stage);
}

bool sh__recovery_take_due(sh_stage *stage)
{
    struct sh__recovery *recovery = stage->recovery;
    if (!recovery || !recovery->is_due)
        return false;
    recovery->is_due = false;
    recovery->is_retrying = false;
    return true;
}

uint32_t sh__recovery_tries(const sh_stage *stage)
{
    const struct sh__recovery *recovery = stage->recovery;
    bool is_this = recovery && stage->now.callback == SH__CALLBACK_EVENTS &&
                   recovery->failed_at == stage->stats.events_in;
    return is_this ? recovery->tries : 0;
}

void sh__recovery_count_returned(sh_stage *stage, uint64_t n)
{
    struct sh__recovery *recovery = sh__recovery_of(stage);
    if (recovery)
        recovery->redelivered += n;
    stage->worker->totals_redelivered += n;
}

void sh__recovery_get_stats(const sh_stage *stage, sh_stage_stats *out)
{
    const struct sh__recovery *recovery = stage->recovery;
    if (!recovery)
        return;
    out->skipped = recovery->skipped;
    out->dead_lettered = recovery->dead_lettered;
    out->redelivered = recovery->redelivered;
}

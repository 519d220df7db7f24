/* SPDX-License-Identifier: MIT
 *
 * A callback names the events that it could not handle; all others of its batch are handled. So
 * skipping and dead letters concern these events alone. A stop and a further try concern the whole
 * batch, as if the callback had raised: its results are dropped. */
#include "consume/failed.h"

#include "base/alloc.h"
#include "consume/dead_letter.h"
#include "consume/recovery.h"
#include "produce/above.h"
#include "stage/above.h"
#include "stage/stage.h"

enum { MOST_AT_FIRST = 8 };

static int add(struct sh__recovery *recovery, uint32_t i, sh_error *reason)
{
    if (recovery->n_failed == recovery->failed_capacity) {
        uint32_t capacity =
            recovery->failed_capacity ? 2 * recovery->failed_capacity : MOST_AT_FIRST;
        struct sh__failed *list = sh_realloc(recovery->failed, capacity * sizeof *list);
        if (!list)
            return SH_ENOMEM;
        recovery->failed = list;
        recovery->failed_capacity = capacity;
    }
    recovery->failed[recovery->n_failed++] = (struct sh__failed){i, reason};
    return SH_OK;
}

static bool is_known(const struct sh__recovery *recovery, uint32_t i)
{
    for (uint32_t at = 0; at < recovery->n_failed; at++)
        if (recovery->failed[at].index == i)
            return true;
    return false;
}

int sh_stage_fail_event(sh_stage *self, uint32_t i, sh_error *reason)
{
    int status = SH_OK;
    struct sh__recovery *recovery = NULL;
    if (self->now.callback != SH__CALLBACK_EVENTS)
        status = SH_ESTATE;
    else if (i >= self->now.batch.n)
        status = SH_EBADOPT;
    else if (!(recovery = sh__recovery_of(self)))
        status = SH_ENOMEM;
    if (status == SH_OK && !is_known(recovery, i)) {
        status = add(recovery, i, reason);
        self->now.has_failed |= status == SH_OK;
        if (status == SH_OK)
            return SH_OK;
    }
    sh_error_unref(reason);
    return status;
}

int sh_stage_retry_in(sh_stage *self, uint64_t ms, sh_error *reason)
{
    struct sh__recovery *recovery = self->recovery;
    if (self->now.callback == SH__CALLBACK_EVENTS &&
        (!recovery || recovery->on_error != SH_ON_ERROR_RETRY)) {
        sh_error_unref(reason);
        return SH_EBADOPT;
    }
    int status = sh_stage_fail_event(self, 0, reason);
    if (status < 0)
        return status;
    recovery->has_asked = true;
    recovery->asked_ms = ms;
    return SH_OK;
}

void sh__failed_forget(struct sh__recovery *recovery)
{
    for (uint32_t i = 0; i < recovery->n_failed; i++)
        sh_error_unref(recovery->failed[i].reason);
    sh_free(recovery->failed);
    recovery->failed = NULL;
    recovery->n_failed = recovery->failed_capacity = 0;
}

/* What on_error means for these events: SH_ON_ERROR_RETRY as long as the batch has tries left. */
static enum sh_on_error choose(const sh_stage *stage)
{
    const struct sh__recovery *recovery = stage->recovery;
    if (recovery->on_error != SH_ON_ERROR_RETRY)
        return recovery->on_error;
    return sh__recovery_tries(stage) < recovery->times ? SH_ON_ERROR_RETRY
                                                       : recovery->after;
}

static void deal_with(sh_stage *stage, const struct sh__failed *failed,
                      enum sh_on_error how)
{
    sh_batch event = stage->now.batch;
    event.first += failed->index;
    event.n = 1;
    if (how == SH_ON_ERROR_SKIP)
        sh__recovery_skip(stage, 1, failed->reason);
    else
        sh__dead_letter(stage, event, failed->reason, sh__stage_label(stage),
                        sh__recovery_tries(stage) + 1);
}

int sh__failed_settle(sh_stage *stage, int status, sh_result *r)
{
    struct sh__recovery *recovery = stage->recovery;
    stage->now.has_failed = false;
    enum sh_on_error how = choose(stage);
    bool is_whole =
        how == SH_ON_ERROR_STOP || how == SH_ON_ERROR_RETRY || recovery->has_asked;
    if (status >= 0 && is_whole) {
        sh_batch_unref(r->events);
        sh_batch_unref(r->reply);
        sh_error_unref(r->reason);
        *r = (sh_result){.reason = sh_error_ref(recovery->failed[0].reason)};
        status = SH_EFAILED;
    } else if (status >= 0) {
        for (uint32_t i = 0; i < recovery->n_failed; i++)
            deal_with(stage, &recovery->failed[i], how);
    }
    sh__failed_forget(recovery);
    return status;
}

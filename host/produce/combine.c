/* SPDX-License-Identifier: MIT
 *
 * The option `combine`. Events that are added have answered what is owed, but leave the credit of
 * the consumers as it is: so sh__settle asks handle_demand for as many again, and a
 * producer_consumer goes on taking input. Events that are emitted use up credit and answer nothing.
 * Both rules together keep the demand of the consumers true: they get at most what they asked for,
 * and as long as they want events, more are asked for. */
#include "produce/combine.h"

#include "base/error.h"
#include "stage/agenda.h"
#include "stage/clock.h"
#include "stage/timer.h"

static const uint64_t ns_per_ms = 1000000;

int sh__combine_configure(struct sh__producer *out, const sh_combine *opts)
{
    sh__combine_free(out);
    if (!opts->combiner)
        return SH_OK;
    struct sh__combine *self = sh_malloc(sizeof *self);
    if (!self) {
        opts->combiner->free(opts->combiner);
        return SH_ENOMEM;
    }
    *self = (struct sh__combine){.combiner = opts->combiner,
                                 .every = opts->every ? opts->every : SH_COMBINE_EVERY,
                                 .every_ms = opts->every_ms};
    out->combine = self;
    return SH_OK;
}

void sh__combine_free(struct sh__producer *out)
{
    struct sh__combine *self = out->combine;
    if (!self)
        return;
    self->combiner->free(self->combiner);
    sh_free(self);
    out->combine = NULL;
}

int sh__combine_refuse_ack(sh_error **error)
{
    if (error)
        *error =
            sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "ack_impossible",
                         "option \"ack\": a stage that combines its events loses what is "
                         "in its accumulator if it dies, so it can't acknowledge events");
    return SH_EBADOPT;
}

/* -- emitting -------------------------------------------------------------------------- */

sh_error *sh__combine_flush(sh_stage *stage)
{
    struct sh__combine *self = stage->out->combine;
    if (!self || self->n == 0 || self->has_failed)
        return NULL;
    sh_batch batch = {0};
    sh_error *error = NULL;
    if (self->combiner->emit(self->combiner, &batch, &error) < 0) {
        self->has_failed = true;
        return error ? error : sh__error_enomem();
    }
    int64_t fewer = self->n - batch.n;
    self->n = 0;
    stage->stats.combined += fewer;
    stage->worker->totals_combined += fewer;
    if (batch.n > 0)
        sh__emit_combined(stage, batch);
    return NULL;
}

void sh__combine_flush_or_fail(sh_stage *stage)
{
    sh_error *error = stage->out ? sh__combine_flush(stage) : NULL;
    if (error)
        sh__stage_fail(stage, error);
}

/* -- time ------------------------------------------------------------------------------ */

/* One timer serves many accumulators: it checks whether the present one is due. */
static void start_timer(sh_stage *stage, struct sh__combine *self)
{
    uint64_t due = self->begun_ns + self->every_ms * ns_per_ms,
             now = sh__clock_now(stage->worker->host);
    uint64_t ms = due > now ? (due - now + ns_per_ms - 1) / ns_per_ms : 0;
    self->has_timer = sh__timer_combine(stage, ms) == SH_OK;
    if (!self->has_timer)
        sh__stage_fail(stage, sh__error_enomem());
}

void sh__combine_due(sh_stage *stage)
{
    struct sh__combine *self = stage->out->combine;
    self->has_timer = false;
    if (self->n == 0)
        return;
    if (sh__clock_now(stage->worker->host) < self->begun_ns + self->every_ms * ns_per_ms)
        start_timer(stage, self);
    else
        sh__combine_flush_or_fail(stage);
}

/* -- adding ---------------------------------------------------------------------------- */

/* Adds events (borrowed) that fit; the accumulator may be full then. */
static void add(sh_stage *stage, struct sh__combine *self, sh_batch part)
{
    bool is_first = self->n == 0;
    self->n += part.n;
    if (self->has_failed)
        return;
    sh_error *error = NULL;
    if (self->combiner->add(self->combiner, part, &error) < 0) {
        self->has_failed = true;
        sh__stage_fail(stage, error ? error : sh__error_enomem());
        return;
    }
    if (self->n >= self->every) {
        sh__combine_flush_or_fail(stage);
    } else if (is_first && self->every_ms > 0) {
        self->begun_ns = sh__clock_now(stage->worker->host);
        if (!self->has_timer)
            start_timer(stage, self);
    }
}

void sh__combine_add(sh_stage *stage, sh_batch batch)
{
    struct sh__producer *out = stage->out;
    struct sh__combine *self = out->combine;
    out->owed -= out->owed < batch.n ? out->owed : batch.n;
    for (uint32_t at = 0, n; at < batch.n; at += n) {
        int64_t room = self->has_failed ? batch.n : self->every - self->n;
        n = room < batch.n - at ? (uint32_t)room : batch.n - at;
        add(stage, self, (sh_batch){batch.list, batch.first + at, n});
    }
    sh_batch_unref(batch);
    if (!self->has_failed && (sh__credit(out) > out->owed || out->polling_ms > 0))
        sh__settle(stage);
}

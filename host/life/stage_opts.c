/* SPDX-License-Identifier: MIT
 *
 * Checks of the options of a stage. */
#include "life/stage_opts.h"

#include "consume/above.h"
#include "consume/recovery.h"
#include "produce/combine.h"
#include "produce/paced.h"

int sh__bad_option(sh_error **error, const char *name, const char *fmt, const char *value)
{
    if (error)
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, name, fmt, value);
    return SH_EBADOPT;
}

/* Whether a producer has a callback that may return events. */
static bool can_emit(const sh_stage_ops *ops)
{
    return ops->handle_demand || ops->handle_call || ops->handle_cast || ops->handle_info;
}

/* Refuses a stage that lacks the callbacks without which its kind can do nothing. */
static int check_ops(const sh_stage_opts *opts, sh_error **error)
{
    if (!opts->ops)
        return sh__bad_option(error, "ops", "ops: %s", "missing");
    if (opts->kind == SH_PRODUCER && !can_emit(opts->ops))
        return sh__bad_option(error, "ops", "ops: a producer needs %s",
                              "handle_demand, or another callback that emits events");
    if ((opts->kind == SH_CONSUMER || opts->kind == SH_PRODUCER_CONSUMER) &&
        !opts->ops->handle_events)
        return sh__bad_option(error, "ops", "ops: a stage that consumes needs %s",
                              "handle_events");
    return SH_OK;
}

static int check_combine(const sh_stage_opts *opts, bool produces, sh_error **error)
{
    if (!opts->combine.combiner)
        return SH_OK;
    if (!produces)
        return sh__bad_option(error, "combine", "%s is an option of stages that produce",
                              "combine");
    if (opts->combine.every < 0)
        return sh__bad_option(error, "combine", "combine.every: %s",
                              "must not be negative");
    for (size_t i = 0; i < opts->n_subscribe_to; i++)
        if (opts->subscribe_to[i].ack)
            return sh__combine_refuse_ack(error);
    return SH_OK;
}

int sh__stage_opts_check(const sh_host *host, const sh_stage_opts *opts, sh_error **error)
{
    bool produces = opts->kind == SH_PRODUCER || opts->kind == SH_PRODUCER_CONSUMER;
    if (check_ops(opts, error) < 0)
        return SH_EBADOPT;
    if (!produces && (opts->dispatcher || opts->buffer_size != SH_BUFFER_DEFAULT))
        return sh__bad_option(error, opts->dispatcher ? "dispatcher" : "buffer_size",
                              "%s is an option of stages that produce",
                              opts->dispatcher ? "dispatcher" : "buffer_size");
    if (opts->buffer_size < SH_BUFFER_NONE)
        return sh__bad_option(error, "buffer_size", "buffer_size: %s",
                              "must not be negative");
    if (!produces && opts->rate.events != 0)
        return sh__bad_option(error, "rate", "%s is an option of stages that produce",
                              "rate");
    if (check_combine(opts, produces, error) < 0)
        return SH_EBADOPT;
    if (sh__rate_check(&opts->rate, error) < 0)
        return SH_EBADOPT;
    if (opts->kind != SH_PRODUCER &&
        (opts->demand != SH_DEMAND_FORWARD || opts->polling_interval_ms))
        return sh__bad_option(error, opts->demand ? "demand" : "polling_interval",
                              "%s is an option of producers",
                              opts->demand ? "demand" : "polling_interval");
    bool consumes = opts->kind == SH_CONSUMER || opts->kind == SH_PRODUCER_CONSUMER;
    if (!consumes && opts->n_subscribe_to > 0)
        return sh__bad_option(error, "subscribe_to",
                              "%s is an option of stages that consume", "subscribe_to");
    if (sh__recovery_check(opts, error) < 0)
        return SH_EBADOPT;
    for (size_t i = 0; i < opts->n_subscribe_to; i++) {
        sh_subscribe_opts copy = opts->subscribe_to[i];
        int status = sh__subscribe_opts_complete(&copy, &opts->defaults, host, error);
        if (status < 0)
            return status;
    }
    return SH_OK;
}

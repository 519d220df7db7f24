/* SPDX-License-Identifier: MIT
 *
 * The options of a subscription: defaults and bounds. */
#include "consume/above.h"

#include "produce/paced.h"
#include "stagehost/host.h"

static int bad_bound(sh_error **error, const char *name, const char *what, int64_t bound,
                     int64_t value)
{
    if (error)
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, name,
                              "expected \"%s\" to be %s %lld, got %lld", name, what,
                              (long long)bound, (long long)value);
    return SH_EBADOPT;
}

static int check_limits(const sh_subscribe_opts *opts, sh_error **error)
{
    int64_t size = opts->batch.size;
    if (sh__rate_check(&opts->rate, error) < 0)
        return SH_EBADOPT;
    if (size < 0)
        return bad_bound(error, "batch.size", "at least", 1, size);
    if (size > opts->max_demand)
        return bad_bound(error, "batch.size", "at most", opts->max_demand, size);
    if (opts->rate.events > 0 && size > opts->rate.events)
        return bad_bound(error, "batch.size", "at most", opts->rate.events, size);
    if (size > 0 && opts->batch.timeout_ms == 0)
        return bad_bound(error, "batch.timeout_ms", "at least", 1, 0);
    return SH_OK;
}

static void fill_in(sh_subscribe_opts *opts, const sh_subscribe_defaults *defaults,
                    const sh_host *host)
{
    bool says_nothing = opts->max_demand == 0 && !opts->has_min;
    if (says_nothing) {
        opts->max_demand = defaults->max_demand;
        opts->min_demand = defaults->min_demand;
        opts->has_min = defaults->has_min;
    }
    if (opts->max_demand == 0)
        opts->max_demand = sh_host_max_demand(host);
    if (opts->cancel == SH_CANCEL_DEFAULT)
        opts->cancel = defaults->cancel;
}

int sh__subscribe_opts_complete(sh_subscribe_opts *opts,
                                const sh_subscribe_defaults *defaults, const sh_host *host,
                                sh_error **error)
{
    fill_in(opts, defaults, host);
    if (opts->max_demand < 1)
        return bad_bound(error, "max_demand", "at least", 1, opts->max_demand);
    if (!opts->has_min)
        opts->min_demand = opts->max_demand / 2;
    opts->has_min = true;
    if (opts->min_demand < 0)
        return bad_bound(error, "min_demand", "at least", 0, opts->min_demand);
    if (opts->min_demand > opts->max_demand - 1)
        return bad_bound(error, "min_demand", "at most", opts->max_demand - 1,
                         opts->min_demand);
    int status = check_limits(opts, error);
    if (status < 0)
        return status;
    if (!opts->to && !opts->to_name) {
        if (error)
            *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "to",
                                  "expected a producer in \"to\"");
        return SH_EBADOPT;
    }
    return SH_OK;
}

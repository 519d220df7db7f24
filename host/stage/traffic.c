/* SPDX-License-Identifier: MIT */
#include "stage/traffic.h"

#include <string.h>

#include "stage/clock.h"
#include "stage/host_state.h"

/* Beyond this number, stages are counted together. */
enum { MOST_ROUTES = 256, MOST_TRAVELLERS = 256 };

static const char others[] = "(others)";

/* -- the sums of a worker -------------------------------------------------------------- */

static struct sh__route_sum *find_route(const sh_worker *worker, const char *producer,
                                        const char *consumer)
{
    struct sh__route_sum *route = worker->travels.routes;
    while (route && (strcmp(route->consumer, consumer) != 0 ||
                     strcmp(route->producer, producer) != 0))
        route = route->next;
    return route;
}

static struct sh__traveller *find_traveller(const sh_worker *worker, const char *name)
{
    struct sh__traveller *traveller = worker->travels.travellers;
    while (traveller && strcmp(traveller->name, name) != 0)
        traveller = traveller->next;
    return traveller;
}

/* The sum for these names; NULL when out of memory: a report then lacks it. */
static struct sh__route_sum *take_route(sh_worker *worker, const char *producer,
                                        const char *consumer)
{
    struct sh__travels *travels = &worker->travels;
    struct sh__route_sum *route = find_route(worker, producer, consumer);
    if (!route && travels->n_routes >= MOST_ROUTES) {
        producer = consumer = others;
        route = find_route(worker, producer, consumer);
    }
    if (route)
        return route;
    size_t len = strlen(producer) + 1, more = strlen(consumer) + 1;
    if (!(route = sh_malloc(sizeof *route + len + more)))
        return NULL;
    *route =
        (struct sh__route_sum){.next = travels->routes, .consumer = route->producer + len};
    memcpy(route->producer, producer, len);
    memcpy(route->producer + len, consumer, more);
    travels->routes = route;
    travels->n_routes++;
    return route;
}

static struct sh__traveller *take_traveller(sh_worker *worker, const char *name)
{
    struct sh__travels *travels = &worker->travels;
    struct sh__traveller *traveller = find_traveller(worker, name);
    if (!traveller && travels->n_travellers >= MOST_TRAVELLERS)
        traveller = find_traveller(worker, name = others);
    if (traveller)
        return traveller;
    size_t len = strlen(name) + 1;
    if (!(traveller = sh_malloc(sizeof *traveller + len)))
        return NULL;
    *traveller = (struct sh__traveller){.next = travels->travellers};
    memcpy(traveller->name, name, len);
    travels->travellers = traveller;
    travels->n_travellers++;
    return traveller;
}

static struct sh__route_sum *route_of(sh_worker *worker, const sh_subscription *sub)
{
    return take_route(worker, sh__stage_label(sub->producer),
                      sh__stage_label(sub->consumer));
}

void sh__traffic_end_out(const sh_subscription *sub)
{
    const struct sh__traffic *traffic = &sub->out.traffic;
    if (traffic->events == 0)
        return;
    sub->producer->has_travelled = true;
    struct sh__route_sum *route = route_of(sub->producer->worker, sub);
    if (!route)
        return;
    route->events += traffic->events;
    route->bytes += traffic->bytes;
    route->encode_ticks += traffic->ticks;
}

void sh__traffic_end_in(const sh_subscription *sub)
{
    if (sub->in.traffic.events == 0)
        return;
    sub->consumer->has_travelled = true;
    struct sh__route_sum *route = route_of(sub->consumer->worker, sub);
    if (route)
        route->decode_ticks += sub->in.traffic.ticks;
}

void sh__traffic_end_stage(const sh_stage *stage)
{
    if (!stage->has_travelled)
        return;
    struct sh__traveller *traveller = take_traveller(stage->worker, sh__stage_label(stage));
    if (traveller)
        traveller->callback_ticks += stage->callback_ticks;
}

void sh__traffic_free(sh_worker *worker)
{
    struct sh__travels *travels = &worker->travels;
    while (travels->routes) {
        struct sh__route_sum *route = travels->routes;
        travels->routes = route->next;
        sh_free(route);
    }
    while (travels->travellers) {
        struct sh__traveller *traveller = travels->travellers;
        travels->travellers = traveller->next;
        sh_free(traveller);
    }
}

/* -- the sums of a host ---------------------------------------------------------------- */

static uint64_t callback_ns(const sh_host *host, const char *name)
{
    uint64_t ticks = 0;
    for (unsigned i = 0; i < host->n_workers; i++) {
        const struct sh__traveller *traveller = find_traveller(&host->workers[i], name);
        ticks += traveller ? traveller->callback_ticks : 0;
    }
    return sh__clock_ns(host, ticks);
}

/* The sums for two names over all workers; false: a worker before `first` has them too. */
static bool sum_up(const sh_host *host, unsigned first, const struct sh__route_sum *names,
                   sh_crossing *out)
{
    *out = (sh_crossing){.producer = names->producer, .consumer = names->consumer};
    for (unsigned i = 0; i < host->n_workers; i++) {
        const struct sh__route_sum *route =
            find_route(&host->workers[i], names->producer, names->consumer);
        if (route && i < first)
            return false;
        if (!route)
            continue;
        out->events += route->events;
        out->bytes += route->bytes;
        out->encode_ns += sh__clock_ns(host, route->encode_ticks);
        out->decode_ns += sh__clock_ns(host, route->decode_ticks);
    }
    out->producer_ns = callback_ns(host, names->producer);
    out->consumer_ns = callback_ns(host, names->consumer);
    return true;
}

void sh_host_each_crossing(const sh_host *host,
                           void (*each)(void *data, const sh_crossing *crossing),
                           void *data)
{
    for (unsigned i = 0; i < host->n_workers; i++)
        for (const struct sh__route_sum *route = host->workers[i].travels.routes; route;
             route = route->next) {
            sh_crossing crossing;
            if (sum_up(host, i, route, &crossing))
                each(data, &crossing);
        }
}

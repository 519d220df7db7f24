/* SPDX-License-Identifier: MIT
 *
 * Stages in C: a consumer that fails, its tries, and the letters of C values that its
 * dead-letter stage gets, on the same worker and on another. */
#include <stagehost.h>
#include <string.h>

#include "test.h"

static int n_freed, n_tries, n_letters, n_handled;
static int target; /* what the pointer points to */

static void free_pointer(void *data)
{
    CHECK_POINTER(data, &target);
    n_freed++;
}

static int emit(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)self, (void)state, (void)n;
    sh_value list[] = {{.type = SH_INTEGER, .u.integer = 7},
                       {.type = SH_POINTER, .u.pointer = {&target, free_pointer}}};
    sh_value events[] = {{.type = SH_STRING, .u.string = {"good", 4}},
                         {.type = SH_STRING, .u.string = {"bad", 3}},
                         {.type = SH_LIST, .u.list = {list, 2}}};
    r->stop = true;
    return sh_batch_from_values(events, 3, &r->events);
}

/* One event a batch; all but the first fail. */
static int handle(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                  sh_result *r)
{
    (void)self, (void)state;
    const sh_value *value = sh_batch_values(events);
    n_tries++;
    if (value->type == SH_STRING && strcmp(value->u.string.data, "good") == 0) {
        CHECK_INT(sh_subscription_deliveries(from), 1);
        n_handled++;
        return SH_DONE;
    }
    r->reason = sh_error_fmt(SH_REASON_RAISED, 0, "no_good", "can't handle it");
    return SH_EFAILED;
}

static const sh_value *field(const sh_value *map, const char *key)
{
    CHECK_INT(map->type, SH_MAP);
    for (size_t i = 0; i < map->u.map.n; i++)
        if (strcmp(map->u.map.items[2 * i].u.string.data, key) == 0)
            return &map->u.map.items[2 * i + 1];
    return NULL;
}

static int file(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)self, (void)state;
    const sh_value *letters = sh_batch_values(message);
    CHECK_INT(letters->type, SH_LIST);
    CHECK_INT(letters->u.list.n, 1);
    const sh_value *letter = &letters->u.list.items[0], *event = field(letter, "event");
    CHECK_TEXT(field(letter, "stage")->u.string.data, "fragile");
    CHECK_INT(field(letter, "deliveries")->u.integer, 3);
    const sh_value *error = field(letter, "error");
    CHECK_TEXT(field(error, "name")->u.string.data, "no_good");
    CHECK_TEXT(field(error, "message")->u.string.data, "can't handle it");
    CHECK_INT(field(error, "traceback")->type, SH_NIL);
    if (++n_letters == 1) {
        CHECK_TEXT(event->u.string.data, "bad");
        return SH_DONE;
    }
    CHECK_INT(event->u.list.items[0].u.integer, 7);
    CHECK_POINTER(event->u.list.items[1].u.pointer.data, &target);
    r->stop = true;
    return SH_DONE;
}

static const sh_stage_ops source_ops = {.handle_demand = emit};
static const sh_stage_ops fragile_ops = {.handle_events = handle};
static const sh_stage_ops box_ops = {.handle_cast = file};

static sh_stage *start(sh_worker *worker, const sh_stage_opts *opts)
{
    sh_stage *stage = NULL;
    CHECK_INT(sh_stage_start(worker, opts, (sh_from){0}, &stage, NULL), SH_OK);
    return stage;
}

/* `box_worker` as in sh_stage_opts. */
static void run(int box_worker, bool by_name)
{
    n_freed = n_tries = n_letters = n_handled = 0;
    sh_host *host;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2}, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    sh_stage *box = start(worker, &(sh_stage_opts){.kind = SH_PROCESS,
                                                   .ops = &box_ops,
                                                   .name = "box",
                                                   .worker = box_worker});
    sh_stage *source =
        start(worker, &(sh_stage_opts){.kind = SH_PRODUCER, .ops = &source_ops});
    sh_subscribe_opts to = {.to = source, .max_demand = 1, .ack = true};
    sh_stage *fragile =
        start(worker, &(sh_stage_opts){.kind = SH_CONSUMER,
                                       .ops = &fragile_ops,
                                       .name = "fragile",
                                       .on_error = SH_ON_ERROR_RETRY,
                                       .retry = {.times = 2,
                                                 .delay_ms = SH_RETRY_NOW,
                                                 .after = SH_ON_ERROR_DEAD_LETTER},
                                       .dead_letter = by_name ? NULL : box,
                                       .dead_letter_name = by_name ? "box" : NULL,
                                       .subscribe_to = &to,
                                       .n_subscribe_to = 1});
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT(n_handled, 1);
    CHECK_INT(n_tries, 1 + 2 * 3);
    CHECK_INT(n_letters, 2);
    sh_stage_stats stats;
    sh_stage_get_stats(fragile, &stats);
    CHECK_INT((int64_t)stats.dead_lettered, 2);
    CHECK_INT((int64_t)stats.events_in, 3);
    sh_host_summary summary;
    sh_host_get_summary(host, &summary);
    CHECK_INT((int64_t)summary.dead_lettered, 2);
    CHECK_INT((int64_t)summary.unfinished, 0);
    CHECK_INT((int64_t)summary.stages_failed, 0);
    sh_stage_unref(fragile);
    sh_stage_unref(source);
    sh_stage_unref(box);
    sh_host_free(host);
    CHECK_INT(n_freed, 1);
}

static void check_refused(const sh_stage_opts *opts, const char *name)
{
    sh_host *host;
    sh_error *error = NULL;
    CHECK_INT(sh_host_new(NULL, &host), SH_OK);
    CHECK_INT(sh_stage_start(sh_host_worker0(host), opts, (sh_from){0}, NULL, &error),
              SH_EBADOPT);
    CHECK_TEXT(sh_error_get(error)->name, name);
    sh_error_unref(error);
    sh_host_free(host);
}

static void test_options(void)
{
    sh_stage_opts opts = {
        .kind = SH_PRODUCER, .ops = &source_ops, .on_error = SH_ON_ERROR_SKIP};
    check_refused(&opts, "on_error");
    opts = (sh_stage_opts){.kind = SH_PROCESS, .ops = &box_ops, .dead_letter_name = "x"};
    check_refused(&opts, "dead_letter");
    opts = (sh_stage_opts){
        .kind = SH_CONSUMER, .ops = &fragile_ops, .on_error = SH_ON_ERROR_DEAD_LETTER};
    check_refused(&opts, "on_error");
    opts.on_error = SH_ON_ERROR_RETRY;
    opts.retry.after = SH_ON_ERROR_RETRY;
    check_refused(&opts, "on_error");
    opts.retry = (sh_retry){.factor = 0.5};
    check_refused(&opts, "on_error");
    opts.retry = (sh_retry){.delay_ms = -2};
    check_refused(&opts, "on_error");
}

int main(void)
{
    run(0, false);
    run(0, true);
    run(2, false);
    run(2, true);
    test_options();
    return test_end();
}

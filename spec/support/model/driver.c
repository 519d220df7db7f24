/* SPDX-License-Identifier: MIT
 *
 * Plays a plan: a process among the stages does its steps, one after the other or, at a
 * SETTLE, when nothing else has anything to do. With several workers nobody can tell
 * when that is: it goes on after a moment. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "stage/host_state.h"
#include "stage/stage.h"

enum { DRAIN_MS = 3000, CUT_SHORT_MS = 2 };

void model_fail(struct run *run, const char *fmt, ...)
{
    if (atomic_exchange(&run->has_failed, true))
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(run->failure, sizeof run->failure, fmt, args);
    va_end(args);
    model_trace(run, "    FAILED: %s\n", run->failure);
}

void model_trace(struct run *run, const char *fmt, ...)
{
    if (!run->traces)
        return;
    va_list args;
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    fflush(stdout);
}

/* -- the driver ------------------------------------------------------------------------ */

static bool is_woken_by_timer(const struct run *run)
{
    for (int i = 0; i < run->n_actors; i++)
        if (run->actors[i].has_timer)
            return true;
    return false;
}

/* Goes on when nothing has anything to do, or after a moment. */
static void pause_here(struct run *run)
{
    sh_worker *worker = sh_stage_worker(run->driver);
    if (run->workers)
        sh_timer_wake(run->driver, run->next_step % 4 == 0, 1, NULL);
    else
        worker->idle_waiter = (sh_from){sh_stage_ref(run->driver), 1};
}

static void open_up(struct run *run)
{
    sh_worker *worker = sh_stage_worker(run->driver);
    atomic_store_explicit(&run->is_closing, true, memory_order_relaxed);
    for (int i = 0; i < run->n_actors; i++) {
        struct actor *actor = &run->actors[i];
        if (!actor->stage)
            continue;
        if (!run->workers)
            model_complete(actor);
        /* A drain does that too. */
        if (actor->plan->kind == SH_PRODUCER && run->plan->seed % 2)
            sh_stage_set_demand(worker, actor->stage, SH_DEMAND_FORWARD, (sh_from){0});
        sh_stage_cast(worker, actor->stage, model_batch(-1), NULL);
    }
}

static void finish(struct run *run)
{
    model_trace(run, "  finish\n");
    if (run->plan->finish == FINISH_STOP || atomic_load(&run->has_failed))
        sh_host_stop(run->host);
    else
        sh_host_drain(run->host,
                      run->plan->finish == FINISH_DRAIN ? DRAIN_MS : CUT_SHORT_MS);
}

static void go_on(struct run *run)
{
    const struct plan *plan = run->plan;
    while (run->next_step < plan->n_steps && !atomic_load(&run->has_failed)) {
        const struct step *step = &plan->steps[run->next_step++];
        if (step->kind == STEP_SETTLE && !step->is_left_out)
            return pause_here(run);
        if (!step->is_left_out)
            model_step(run, step);
    }
    if (run->phase == 0 || (run->phase == 1 && plan->finish == FINISH_DRAIN)) {
        if (run->phase++ == 1)
            open_up(run);
        pause_here(run);
    } else {
        run->phase = 3;
        finish(run);
    }
}

static void driver_reply(sh_stage *self, void *state, uint64_t ref, int status,
                         sh_batch value, sh_error *error)
{
    struct run *run = *(struct run **)state;
    (void)status;
    (void)error;
    sh_batch_unref(value);
    if (run->phase == 3)
        return;
    if (ref >= MODEL_FIRST_WATCH) {
        model_restart(run, &run->actors[ref - MODEL_FIRST_WATCH]);
        return;
    }
    if (!run->workers) {
        if (is_woken_by_timer(run) || sh_stage_worker(self)->run_length > 0)
            return pause_here(run);
        check_quiet(run);
    }
    go_on(run);
}

static int driver_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct run *run = arg;
    (void)r;
    *(struct run **)state = run;
    run->driver = self;
    pause_here(run);
    return SH_DONE;
}

static void driver_destroy(sh_stage *self, void *state, void *arg)
{
    sh_worker *worker = sh_stage_worker(self);
    (void)state;
    (void)arg;
    if (worker->idle_waiter.stage == self) {
        worker->idle_waiter = (sh_from){0};
        sh_stage_unref(self);
    }
}

static const sh_stage_ops driver = {.size = sizeof(struct run *),
                                    .init = driver_init,
                                    .handle_reply = driver_reply,
                                    .destroy = driver_destroy};

/* The log messages that the engine must never write. */
static void on_log(void *data, const sh_log_record *record)
{
    struct run *run = data;
    model_trace(run, "    log: %s %s: %s\n", record->stage ? record->stage : "-",
                sh_log_code_name(record->code), record->message);
    if (record->code == SH_LOG_EXCESS || record->code == SH_LOG_CONSUMER_CANNOT_DISPATCH ||
        record->code == SH_LOG_DUPLICATED_SUBSCRIPTION ||
        record->code == SH_LOG_NOT_A_CONSUMER)
        model_fail(run, "%s logs %s: %s", record->stage, sh_log_code_name(record->code),
                   record->message);
}

bool model_run(struct run *run, const struct plan *plan, unsigned workers, bool traces)
{
    memset(run, 0, sizeof *run);
    run->plan = plan;
    run->workers = workers;
    run->traces = traces;
    sh_host_opts opts = {.workers = workers,
                         .seeded = workers == 0,
                         .seed = plan->seed,
                         .log = on_log,
                         .log_data = run,
                         .log_level = SH_LOG_WARN};
    for (int i = 0; i < plan->n_stages; i++) {
        run->actors[i] = (struct actor){.run = run, .index = i, .plan = &plan->stages[i]};
        run->actors[i].random = test_random_seed(plan->stages[i].random);
        run->current[i] = i;
    }
    run->n_actors = plan->n_stages;
    sh_stage_opts stage = {
        .kind = SH_PROCESS, .ops = &driver, .arg = run, .name = "driver"};
    if (sh_host_new(&opts, &run->host) < 0 ||
        sh_stage_start(sh_host_worker0(run->host), &stage, (sh_from){0}, NULL, NULL) < 0) {
        model_fail(run, "the host can't be made");
        return false;
    }
    sh_host_run(run->host);
    check_ledger(run);
    for (int i = 0; i < run->n_actors; i++)
        actor_fini(&run->actors[i]);
    sh_host_free(run->host);
    return !atomic_load(&run->has_failed);
}

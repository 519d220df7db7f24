/* SPDX-License-Identifier: MIT
 *
 * Plays a plan: a process among the stages does its steps, one after the other or, at a SETTLE, when
 * nothing else has anything to do. With several workers nobody can tell when that is: it goes on
 * after a moment. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "model.h"
#include "stage.h"

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

/* -- steps ------------------------------------------------------------------------------------ */

sh_subscribe_opts model_subscribe_opts(struct run *run, const struct step *step)
{
    static const char *const partitions[] = {"0", "1", "2"};
    bool is_manual = step->kind == STEP_START ? step->k == 5 : step->flag;
    return (sh_subscribe_opts){
        .to = run->actors[step->other].stage,
        .max_demand = step->n,
        .min_demand = step->m,
        .has_min = true,
        .cancel = step->cancel,
        .partition = partitions[step->k % 3],
        .extra = model_batch(is_manual),
    };
}

static void start(struct run *run, const struct step *step)
{
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    struct actor *actor = &run->actors[step->stage];
    const struct plan_stage *plan = actor->plan;
    if (actor->stage)
        return;
    struct tap_opts tap = {actor};
    sh_stage_opts opts = {.kind = plan->kind,
                          .ops = model_ops(plan),
                          .arg = actor,
                          .name = names[step->stage],
                          .end_with_last = plan->ends_with_last};
    if (run->workers)
        opts.worker = 1 + (int)((unsigned)step->stage % run->workers);
    if (plan->kind != SH_CONSUMER) {
        opts.dispatcher = tap_dispatcher(plan->spread);
        opts.dispatcher_opts = &tap;
        opts.buffer_size = plan->buffer_size;
        opts.buffer_keep = plan->keep;
        opts.discard_buffer_when_no_consumers = plan->discards_without_consumers;
        opts.demand = plan->accumulates ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD;
    }
    sh_subscribe_opts first = {0};
    if (step->flag && plan->kind != SH_PRODUCER && run->actors[step->other].stage) {
        first = model_subscribe_opts(run, step);
        opts.subscribe_to = &first;
        opts.n_subscribe_to = 1;
    }
    sh_error *error = NULL;
    int status = sh_stage_start(sh_stage_worker(run->driver), &opts, (sh_from){0},
                                &actor->stage, &error);
    if (status < 0)
        model_fail(run, "s%d: start: %s", step->stage, sh_error_get(error)->message);
    sh_error_unref(error);
}

static void subscribe(struct run *run, const struct step *step, bool is_known)
{
    if (is_known && !run->actors[step->other].stage)
        return;
    sh_subscribe_opts opts = model_subscribe_opts(run, step);
    if (!is_known) {
        opts.to = NULL;
        opts.to_name = "nobody";
        if (step->cancel != SH_CANCEL_TEMPORARY &&
            run->plan->stages[step->stage].kind != SH_PRODUCER)
            run->was_told_to_end[step->stage] = true;
    }
    sh_stage_subscribe(sh_stage_worker(run->driver), run->actors[step->stage].stage, &opts,
                       (sh_from){0}, NULL);
}

/* Told from outside: those get it who are subscribed now, and still are when it is taken. */
static void tell(struct run *run, struct actor *actor)
{
    int64_t note = MODEL_NOTE(actor->index, 1, ++run->n_told, 0);
    if (actor->plan->kind == SH_CONSUMER)
        return;
    for (struct side *side = run->workers ? NULL : actor->consumers; side;
         side = side->next)
        if (side->is_dispatching)
            numbers_add(&side->notes, note);
    sh_stage_notify(sh_stage_worker(run->driver), actor->stage, model_batch(note),
                    (sh_from){0}, NULL);
}

static void do_step(struct run *run, const struct step *step)
{
    sh_worker *worker = sh_stage_worker(run->driver);
    struct actor *actor = &run->actors[step->stage];
    if (run->traces) {
        printf("  %2d ", (int)(step - run->plan->steps));
        plan_print_step(step, stdout);
    }
    if (step->kind == STEP_START) {
        start(run, step);
        return;
    }
    if (!actor->stage)
        return;
    switch (step->kind) {
    case STEP_SUBSCRIBE:
        subscribe(run, step, true);
        break;
    case STEP_UNKNOWN:
        subscribe(run, step, false);
        break;
    case STEP_TELL:
        tell(run, actor);
        break;
    case STEP_MODE:
        sh_stage_set_demand(worker, actor->stage,
                            step->flag ? SH_DEMAND_ACCUMULATE : SH_DEMAND_FORWARD,
                            (sh_from){0});
        break;
    case STEP_STOP:
        run->was_told_to_end[step->stage] = true;
        sh_stage_stop(worker, actor->stage, model_reason(step->k), (sh_from){0});
        break;
    case STEP_KILL:
        run->was_told_to_end[step->stage] = true;
        sh_stage_kill(worker, actor->stage);
        break;
    case STEP_COMPLETE:
        if (!run->workers)
            model_complete(actor);
        break;
    default:
        sh_stage_cast(worker, actor->stage, model_batch(step - run->plan->steps), NULL);
    }
}

/* -- the driver ------------------------------------------------------------------------------- */

static bool is_woken_by_timer(const struct run *run)
{
    for (int i = 0; i < run->plan->n_stages; i++)
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
    for (int i = 0; i < run->plan->n_stages; i++) {
        struct actor *actor = &run->actors[i];
        if (!actor->stage)
            continue;
        if (!run->workers)
            model_complete(actor);
        if (actor->plan->kind == SH_PRODUCER)
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
            do_step(run, step);
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
    (void)ref;
    (void)status;
    (void)error;
    sh_batch_unref(value);
    if (run->phase == 3)
        return;
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

/* What the engine must never have to say. */
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
    }
    sh_stage_opts stage = {
        .kind = SH_PROCESS, .ops = &driver, .arg = run, .name = "driver"};
    if (sh_host_new(&opts, &run->host) < 0 ||
        sh_stage_start(sh_host_worker0(run->host), &stage, (sh_from){0}, NULL, NULL) < 0) {
        model_fail(run, "the host can't be made");
        return false;
    }
    sh_host_run(run->host);
    check_ledger(run);
    for (int i = 0; i < plan->n_stages; i++)
        actor_fini(&run->actors[i]);
    sh_host_free(run->host);
    return !atomic_load(&run->has_failed);
}

/* SPDX-License-Identifier: MIT
 *
 * The engine against a model: random stages and random steps, drawn from a seed and run
 * under a seeded, shuffled run queue, must never break what architecture.md 9 promises:
 *
 *   1  nobody gets more than it asked for, nor in another order than it was emitted
 *   2  every event reaches everybody who is entitled to it once, or is discarded by policy,
 *      held, or counted as unfinished; and no demand is stuck
 *   3  a notification reaches everybody who was subscribed once, in its place
 *   4  an end takes along only those that their cancel modes say
 *
 *   engine_model_test [--seeds N] [--first N] [--workers N]   N seeds ($STAGEHOST_SEEDS)
 *   engine_model_test --seed N [--steps LIST] [--workers N]   one of them, step by step
 *
 * A tenth of the seeds is then run on several workers, unseeded, for what does not hang on
 * order (and for ThreadSanitizer). Seeds run in a child process, so that one that crashes is
 * found and shrunk like any other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"

enum {
    USUAL_SEEDS = 2000,
    SEEDS_OF_A_CHILD = 250,
    SECONDS_OF_A_SEED = 10,
    USUAL_WORKERS = 3,
    MOST_SHRUNK = 3
};

struct options {
    const char *program;
    uint64_t first, seeds, seed;
    unsigned workers;
    bool replays;
    const char *steps; /* replay: only these; NULL: all */
};

/* What a child tells. */
struct report {
    uint64_t seed;
    bool has_failed;
    char failure[512];
};

static struct report *report;

static void run_plan(const struct options *options, const struct plan *plan, bool traces)
{
    static struct run run;
    alarm(SECONDS_OF_A_SEED);
    bool passed = model_run(&run, plan, options->workers, traces);
    alarm(0);
    if (passed)
        return;
    memcpy(report->failure, run.failure, sizeof report->failure);
    report->has_failed = true;
}

/* Runs `work` in a child. Returns whether all went well there. */
static bool in_child(void (*work)(const struct options *options, void *arg),
                     const struct options *options, void *arg, bool is_silent)
{
    report->has_failed = false;
    report->failure[0] = '\0';
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (is_silent && !freopen("/dev/null", "w", stderr))
            exit(2);
        work(options, arg);
        exit(report->has_failed);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0 && !report->has_failed) {
        report->has_failed = true;
        snprintf(report->failure, sizeof report->failure, "%s %d",
                 WIFSIGNALED(status) ? "ended by signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return !report->has_failed;
}

static void run_seeds(const struct options *options, void *arg)
{
    uint64_t end = *(uint64_t *)arg;
    struct plan plan;
    while (report->seed < end) {
        plan_draw(&plan, report->seed);
        run_plan(options, &plan, false);
        if (report->has_failed)
            return;
        report->seed++;
    }
}

static void run_one(const struct options *options, void *plan)
{
    run_plan(options, plan, false);
}

/* Leaves out every step without which it still fails; the failure may become another
 * one. */
static void shrink(const struct options *options, struct plan *plan)
{
    bool has_shrunk = true;
    while (has_shrunk) {
        has_shrunk = false;
        for (int size = 16; size > 0; size /= 2)
            for (int i = 0; i + size <= plan->n_steps; i += size) {
                struct plan before = *plan;
                bool changes = false;
                for (int k = i; k < i + size; k++) {
                    changes |= !plan->steps[k].is_left_out;
                    plan->steps[k].is_left_out = true;
                }
                if (changes && !in_child(run_one, options, plan, true))
                    has_shrunk = true;
                else
                    *plan = before;
            }
    }
}

static void print_command(const struct options *options, uint64_t seed,
                          const struct plan *shrunk)
{
    printf("replay: %s --seed %" PRIu64, options->program, seed);
    if (options->workers)
        printf(" --workers %u", options->workers);
    const char *before = " --steps ";
    for (int i = 0; shrunk && i < shrunk->n_steps; i++)
        if (!shrunk->steps[i].is_left_out) {
            printf("%s%d", before, i);
            before = ",";
        }
    printf("\n");
}

static void show_failure(const struct options *options, uint64_t seed)
{
    struct plan plan;
    printf("seed %" PRIu64 ": %s\n", seed, report->failure);
    print_command(options, seed, NULL);
    plan_draw(&plan, seed);
    if (in_child(run_one, options, &plan, true)) {
        printf("it passed when run again\n");
        return;
    }
    shrink(options, &plan);
    in_child(run_one, options, &plan, true);
    printf("shrunk: %s\n", report->failure);
    print_command(options, seed, &plan);
    plan_print(&plan, stdout);
}

static void run_all(const struct options *options)
{
    uint64_t end = options->first + options->seeds;
    int n_failed = 0;
    report->seed = options->first;
    while (report->seed < end) {
        uint64_t from = report->seed;
        uint64_t to = end - from < SEEDS_OF_A_CHILD ? end : from + SEEDS_OF_A_CHILD;
        bool passed = in_child(run_seeds, options, &to, false);
        uint64_t seed = report->seed;
        for (uint64_t i = from; i < seed; i++)
            CHECK(true);
        if (passed)
            continue;
        /* Only at its exit a child may find that something leaked: in any of its seeds. */
        CHECK(passed);
        if (seed == to)
            printf("seeds %" PRIu64 " to %" PRIu64 ": %s\n", from, to - 1, report->failure);
        else if (n_failed++ < MOST_SHRUNK)
            show_failure(options, seed);
        else
            printf("seed %" PRIu64 ": %s\n", seed, report->failure);
        report->seed = seed == to ? to : seed + 1;
    }
}

/* Leaves out all steps but those whose numbers are in `list`, with commas between. */
static void keep_steps(struct plan *plan, const char *list)
{
    for (int i = 0; i < plan->n_steps; i++)
        plan->steps[i].is_left_out = true;
    while (*list) {
        char *end;
        unsigned long i = strtoul(list, &end, 10);
        if (end > list && i < (unsigned long)plan->n_steps)
            plan->steps[i].is_left_out = false;
        list = *end ? end + 1 : end;
    }
}

static void replay(const struct options *options)
{
    struct plan plan;
    plan_draw(&plan, options->seed);
    if (options->steps)
        keep_steps(&plan, options->steps);
    for (int i = 0; i < plan.n_stages; i++)
        plan_print_stage(&plan, i, stdout);
    run_plan(options, &plan, true);
    if (!CHECK(!report->has_failed))
        printf("%s\n", report->failure);
}

static bool read_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seeds") == 0) {
            options->seeds = number;
        } else if (strcmp(argv[i], "--first") == 0) {
            options->first = number;
        } else if (strcmp(argv[i], "--workers") == 0) {
            options->workers = (unsigned)number;
        } else if (strcmp(argv[i], "--seed") == 0) {
            options->seed = number;
            options->replays = true;
        } else if (strcmp(argv[i], "--steps") == 0) {
            options->steps = argv[i + 1];
        } else {
            return false;
        }
    }
    return argc % 2 == 1;
}

int main(int argc, char **argv)
{
    struct options options = {
        .program = argv[0], .first = 1, .seeds = test_seeds(USUAL_SEEDS)};
    if (!read_options(&options, argc, argv)) {
        fprintf(stderr,
                "usage: %s [--seeds N] [--first N] [--seed N [--steps LIST]] "
                "[--workers N]\n",
                argv[0]);
        return 64;
    }
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    if (report == MAP_FAILED)
        return 2;
    if (options.replays) {
        replay(&options);
        return test_end();
    }
    run_all(&options);
    if (options.workers == 0) {
        options.workers = USUAL_WORKERS;
        options.seeds = (options.seeds + 9) / 10;
        run_all(&options);
    }
    return test_end();
}

/* SPDX-License-Identifier: MIT
 *
 * Links and monitors under random steps of stages on two workers: whatever happens at the
 * same moment, when all is quiet both sides of every pair of stages agree.
 *
 *   1  of two stages that are alive, both are linked with one another or neither is
 *   2  nobody is linked with, or monitors, a stage that has ended
 *   3  each monitor is still there, was taken back, or has told once
 *   4  no link is half given up, and nothing is left (LeakSanitizer) */
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "stage/links.h"
#include "stage/stage.h"
#include "stagehost.h"
#include "test.h"

enum { MEMBERS = 4, STEPS = 24, ROUNDS = MEMBERS + 5, REFS = 16, USUAL_SEEDS = 400 };
enum { SIDES = 2, MOST_WAIT_NS = 3000000 };

enum op { LINK, UNLINK, MONITOR, DEMONITOR, EXIT, EXIT_NORMAL, STOP, KILL, N_OPS };

/* How often each is drawn. */
static const uint32_t weights[N_OPS] = {
    [LINK] = 300, [UNLINK] = 260,     [MONITOR] = 160, [DEMONITOR] = 100,
    [EXIT] = 4,   [EXIT_NORMAL] = 40, [STOP] = 8,      [KILL] = 4,
};

struct member {
    struct test_random random;
    int side;
    bool has_begun;
    int left; /* steps */
    sh_from asker;
    uint64_t refs[REFS]; /* the last ones */
    uint64_t monitored, taken_back, told;
};

static sh_stage *members[MEMBERS];
static struct {
    sh_stage *stage;
    uint64_t seed;
    struct test_random random;
    bool has_ends; /* else all live to the last check */
    unsigned round, answered;
    uint64_t ref;
} driver;

/* The members of one worker. */
static struct {
    _Atomic int walkers;    /* that have steps left */
    _Atomic unsigned turns; /* in which they took some */
} sides[SIDES];

static sh_error *some_reason(void)
{
    return sh_error_fmt(SH_REASON_CUSTOM, 0, "odd", "odd");
}

static sh_batch payload(const sh_value *value)
{
    sh_batch batch;
    CHECK_INT(sh_batch_from_values(value, 1, &batch), SH_OK);
    return batch;
}

/* -- what a member does ---------------------------------------------------------------- */

static void monitor(sh_worker *worker, sh_stage *self, struct member *m, sh_stage *other)
{
    uint64_t *ref = &m->refs[m->monitored++ % REFS];
    CHECK_INT(sh_stage_monitor(worker, self, other, ref), SH_OK);
}

static void demonitor(sh_worker *worker, sh_stage *self, struct member *m)
{
    uint64_t ref = m->refs[test_random_below(&m->random, REFS)];
    if (ref && sh_stage_demonitor(worker, self, ref) == SH_OK)
        m->taken_back++;
}

static enum op draw_op(struct test_random *random)
{
    uint32_t sum = 0;
    for (int i = 0; i < N_OPS; i++)
        sum += weights[i];
    uint32_t pick = test_random_below(random, sum);
    int op = 0;
    while (pick >= weights[op])
        pick -= weights[op++];
    return (enum op)op;
}

/* Mostly of the other worker. */
static uint32_t draw_other(struct member *m)
{
    uint32_t other = test_random_below(&m->random, MEMBERS);
    bool is_near = other % SIDES == (uint32_t)m->side;
    return is_near && test_random_below(&m->random, 4) > 0 ? (other + 1) % MEMBERS : other;
}

static void take_step(sh_stage *self, struct member *m, sh_result *r)
{
    sh_worker *worker = sh_stage_worker(self);
    sh_stage *other = members[draw_other(m)];
    enum op op = draw_op(&m->random);
    if (!driver.has_ends && (op == EXIT || op == STOP || op == KILL))
        return;
    switch (op) {
    case LINK:
        CHECK_INT(sh_stage_link(worker, self, other), SH_OK);
        break;
    case UNLINK:
        CHECK_INT(sh_stage_unlink(worker, self, other), SH_OK);
        break;
    case MONITOR:
        monitor(worker, self, m, other);
        break;
    case DEMONITOR:
        demonitor(worker, self, m);
        break;
    case EXIT:
        sh_stage_exit(worker, other, some_reason(), self);
        break;
    case EXIT_NORMAL:
        sh_stage_exit(worker, other, NULL, self);
        break;
    case STOP:
        r->stop = true;
        r->reason = test_random_below(&m->random, 2) ? some_reason() : NULL;
        break;
    case KILL:
        sh_stage_kill(worker, other);
        break;
    case N_OPS:
        break;
    }
}

/* What a worker sends leaves it after the turn. When both have taken their steps before either
 * goes on, no step knows of the other side's: all of them happen at the same moment. */
static void wait_for_other_side(int side)
{
    unsigned turn = atomic_fetch_add(&sides[side].turns, 1) + 1;
    uint64_t end = uv_hrtime() + MOST_WAIT_NS;
    while (atomic_load(&sides[!side].walkers) > 0 &&
           atomic_load(&sides[!side].turns) < turn) {
        if (uv_hrtime() > end) { /* it is a turn late: this side does not run ahead */
            atomic_store(&sides[side].turns, turn - 1);
            return;
        }
        sched_yield();
    }
}

static void end_walk(struct member *m)
{
    m->left = 0;
    atomic_fetch_sub(&sides[m->side].walkers, 1);
}

static void take_steps(sh_stage *self, struct member *m, sh_result *r)
{
    for (uint32_t n = 1 + test_random_below(&m->random, 8); n > 0 && m->left > 0; n--) {
        m->left--;
        take_step(self, m, r);
        if (r->stop)
            m->left = 0;
    }
    if (test_random_below(&m->random, 4) > 0)
        wait_for_other_side(m->side);
    if (m->left == 0)
        end_walk(m);
}

/* The next steps come with the next turn of the loop, so that messages arrive on the way. */
static int handle_info(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    struct member *m = state;
    (void)message;
    if (!m->has_begun) {
        m->left = STEPS;
        atomic_fetch_add(&sides[m->side].walkers, 1);
    }
    m->has_begun = true;
    take_steps(self, m, r);
    if (r->stop)
        return SH_DONE;
    const sh_value nothing = {.type = SH_NIL};
    uint64_t timer;
    if (m->left > 0)
        CHECK_INT(sh_timer_start(self, test_random_below(&m->random, 2), 0,
                                 payload(&nothing), &timer),
                  SH_OK);
    else if (m->asker.stage)
        sh_reply(sh_stage_worker(self), m->asker, payload(&nothing), NULL, NULL);
    return SH_DONE;
}

static int init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct member *m = state;
    m->random = test_random_seed(driver.seed * MEMBERS + (uintptr_t)arg);
    m->side = (int)((uintptr_t)arg % SIDES);
    (void)self, (void)r;
    return SH_DONE;
}

static void destroy(sh_stage *self, void *state, void *arg)
{
    struct member *m = state;
    (void)self, (void)arg;
    if (m && m->left > 0) /* it was ended on its way */
        end_walk(m);
}

/* Answered when all steps are taken. */
static int handle_call(sh_stage *self, void *state, sh_batch request, sh_from from,
                       sh_result *r)
{
    struct member *m = state;
    (void)self, (void)request;
    r->has_reply = m->left == 0;
    m->asker = from;
    return SH_DONE;
}

static int handle_exit(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                       sh_result *r)
{
    (void)self, (void)state, (void)reason, (void)r;
    CHECK(from != NULL);
    return SH_DONE;
}

static int handle_down(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                       uint64_t ref, sh_result *r)
{
    struct member *m = state;
    (void)self, (void)reason, (void)r;
    CHECK(stage && ref);
    m->told++;
    return SH_DONE;
}

static const sh_stage_ops plain_ops = {
    .size = sizeof(struct member),
    .init = init,
    .destroy = destroy,
    .handle_info = handle_info,
    .handle_call = handle_call,
    .handle_down = handle_down,
};
static const sh_stage_ops trapping_ops = {
    .size = sizeof(struct member),
    .init = init,
    .destroy = destroy,
    .handle_info = handle_info,
    .handle_call = handle_call,
    .handle_exit = handle_exit,
    .handle_down = handle_down,
};

/* -- what must hold when all is quiet -------------------------------------------------- */

static const struct sh__bond *find_link(const sh_stage *a, const sh_stage *b)
{
    return a->links ? sh__bonds_find(&a->links->linked, b->id) : NULL;
}

static void check_pair(const sh_stage *a, const sh_stage *b)
{
    const struct sh__bond *link = find_link(a, b), *back = find_link(b, a);
    bool agreed = (link != NULL) == (back != NULL);
    if (!CHECK(agreed) || !CHECK(!link || link->unlinking == 0))
        printf("seed %" PRIu64 ": #%" PRIu64 " and #%" PRIu64 "\n", driver.seed, a->id,
               b->id);
}

static void check_watched(const struct sh__bonds *watched)
{
    for (uint32_t i = 0; i < watched->capacity; i++) {
        const struct sh__bond *bond = &watched->slots[i];
        if (!bond->key)
            continue;
        CHECK(sh_stage_is_alive(bond->peer));
        CHECK(bond->peer->links && sh__bonds_find(&bond->peer->links->watchers, bond->key));
    }
}

static void check_member(sh_stage *stage)
{
    if (!sh_stage_is_alive(stage)) {
        CHECK(!stage->links);
        return;
    }
    for (int i = 0; i < MEMBERS; i++)
        if (sh_stage_is_alive(members[i]))
            check_pair(stage, members[i]);
        else
            CHECK(!find_link(stage, members[i]));
    const struct member *m = stage->state;
    uint64_t waiting = stage->links ? stage->links->watched.n : 0;
    if (stage->links)
        check_watched(&stage->links->watched);
    CHECK_INT((int64_t)m->monitored, (int64_t)(m->taken_back + m->told + waiting));
}

/* -- the driver: starts them, then asks round after round until all is quiet ------------ */

static void ask_all(sh_worker *worker)
{
    driver.round++;
    driver.answered = 0;
    const sh_value nothing = {.type = SH_NIL};
    for (int i = 0; i < MEMBERS; i++)
        sh_stage_call(worker, members[i], payload(&nothing),
                      (sh_from){driver.stage, ++driver.ref}, 0, NULL);
}

static void begin_all(sh_worker *worker)
{
    const sh_value nothing = {.type = SH_NIL};
    for (int i = 0; i < MEMBERS; i++)
        sh_stage_send(worker, members[i], payload(&nothing), NULL);
}

static int driver_init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)state, (void)arg, (void)r;
    sh_worker *worker = sh_stage_worker(self);
    driver.stage = self;
    for (int i = 0; i < MEMBERS; i++) {
        sh_stage_opts opts = {.kind = SH_PROCESS, .worker = 1 + i % SIDES};
        opts.arg = (void *)(uintptr_t)i;
        opts.ops = test_random_below(&driver.random, 3) == 0 ? &trapping_ops : &plain_ops;
        CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, &members[i], NULL), SH_OK);
    }
    ask_all(worker); /* until both workers run */
    return SH_DONE;
}

static void driver_reply(sh_stage *self, void *state, uint64_t ref, int status,
                         sh_batch value, sh_error *error)
{
    (void)state, (void)ref, (void)status, (void)error;
    sh_worker *worker = sh_stage_worker(self);
    sh_batch_unref(value);
    if (++driver.answered < MEMBERS)
        return;
    if (driver.round == 1)
        begin_all(worker);
    if (driver.round < ROUNDS) {
        ask_all(worker);
        return;
    }
    for (int i = 0; i < MEMBERS; i++)
        check_member(members[i]);
    for (int i = 0; i < MEMBERS; i++)
        sh_stage_kill(worker, members[i]);
    sh_stage_kill(worker, self);
}

static const sh_stage_ops driver_ops = {.init = driver_init, .handle_reply = driver_reply};

static void run(uint64_t seed)
{
    sh_host *host;
    driver.seed = seed;
    driver.random = test_random_seed(seed);
    driver.round = 0;
    driver.has_ends = seed % 2 == 0;
    CHECK_INT(sh_host_new(&(sh_host_opts){.workers = 2, .seed = seed}, &host), SH_OK);
    sh_stage_opts opts = {.kind = SH_PROCESS, .ops = &driver_ops};
    sh_stage_start(sh_host_worker0(host), &opts, (sh_from){0}, NULL, NULL);
    sh_host_run(host);
    CHECK_INT(driver.round, ROUNDS);
    for (int i = 0; i < MEMBERS; i++)
        sh_stage_unref(members[i]);
    sh_host_free(host);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(USUAL_SEEDS); seed++)
        run(seed);
    return test_end();
}

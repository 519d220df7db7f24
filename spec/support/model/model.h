/* SPDX-License-Identifier: MIT
 *
 * A run of the engine's model test. Each stage of the plan is played by an actor, which
 * records its demand and the events it emits, sends and gets; each side of a subscription
 * has its own record. An actor is used only on its stage's worker, and by the checks
 * when nothing runs.
 *
 *   plan.c     the plan of a run          actor.c    the callbacks
 *   driver.c   plays it                   jobs.c     the work of callbacks that need not wait
 *   steps.c    the steps                  side.c     the record of a subscription
 *   words.c    contents of messages       tap.c      between the engine and a dispatcher
 *   choice.c   which events go where      quiet.c    checks when nothing happens
 *   restart.c  the supervisor             ledger.c   checks at the end */
#ifndef SPEC_MODEL_H
#define SPEC_MODEL_H

#include <stdatomic.h>

#include "plan.h"
#include "test.h"

/* An event is a number: the stage that emitted it, and its place among that stage's events. */
#define MODEL_EVENT(stage, n)    ((int64_t)(stage) << 40 | (int64_t)(n))
#define MODEL_EVENT_STAGE(event) ((int)((event) >> 40))
#define MODEL_EVENT_N(event)     ((event) & ((INT64_C(1) << 40) - 1))

/* A notification is a number too: its sender, its number there, and, if its stage sent it, how
 * many events it had emitted before. Those sent by the driver have a row of their own. */
#define MODEL_NOTE(stage, told, number, after)                                             \
    ((int64_t)(stage) << 48 | (int64_t)(told) << 47 | (int64_t)(number) << 32 |            \
     (int64_t)(after))
#define MODEL_NOTE_STAGE(note)  ((int)((note) >> 48))
#define MODEL_NOTE_TOLD(note)   ((int)((note) >> 47 & 1))
#define MODEL_NOTE_NUMBER(note) ((note) >> 32 & 0x7fff)
#define MODEL_NOTE_AFTER(note)  ((note)&UINT32_MAX)

enum { MODEL_MAX_EMITTED = 4000, MODEL_OPEN_ASK = 1 << 20 };

/* Every life of a stage that is started again is an actor of its own; the first of each are the
 * stages of the plan. */
enum { MODEL_MAX_ACTORS = 4 * PLAN_MAX_STAGES, MODEL_FIRST_WATCH = 1000 };

struct numbers {
    int64_t *items;
    size_t n, capacity;
};

/* The record that one stage has of a subscription. */
struct side {
    struct side *next;
    struct actor *actor;
    sh_subscription *sub; /* a reference */
    int peer;             /* index of the other stage */
    bool is_consumer;     /* whose side it is: the consumer's */
    bool is_cancelled;    /* handle_cancel has been called */
    sh_ended how;
    const char *reason; /* why; static, or "" for others */
    int64_t asked;
    struct numbers events; /* sent, or received */
    struct numbers notes;  /* that have to arrive, or received */
    /* the producer's */
    bool is_dispatching;
    uint32_t select,
        reject; /* an event passes unless its place % select == reject; 0: all pass */
    uint32_t partition;
    size_t before; /* the current dispatch: events sent earlier */
    /* the consumer's */
    sh_cancel cancel;
    bool is_manual;
    int64_t max, min, outstanding;
    int64_t after;        /* a notification has come that stands behind this event */
    int64_t last_note[2]; /* the last number, of either row */
    int64_t passed_after,
        origin; /* passed on by a producer_consumer: the same for its own producer */
};

enum job_kind {
    JOB_NONE,
    JOB_DEMAND,
    JOB_EVENTS,
    JOB_SUBSCRIBE_IN,
    JOB_SUBSCRIBE_OUT,
    JOB_CANCEL_IN,
    JOB_CANCEL_OUT,
    JOB_CAST,
    JOB_INFO,
    JOB_NOTE,
    JOB_TERMINATE,
};

/* The work of a callback, done now or after a wait. */
struct job {
    enum job_kind kind;
    struct side *side;
    struct numbers events; /* EVENTS: what came */
    int64_t note;
    const struct step *step; /* CAST; NULL: open up, the run is ending */
};

struct actor {
    struct run *run;
    int index;
    const struct plan_stage *plan;
    sh_stage *stage; /* a reference of the driver's */
    struct test_random random;
    bool has_begun, has_ended;
    bool is_licensed;   /* to end: something that it did or met says so */
    const char *reason; /* why it ended, as terminate was told; "killed" without */
    /* the callback that waits */
    struct job job;
    uint64_t wakes; /* number of waits so far; the ref of their timers */
    bool has_timer;
    /* emitting */
    int64_t emitted, owed, budget;
    struct numbers origins; /* of each event emitted: the event it was made from, or 0 */
    int64_t notes;
    /* what its dispatcher did */
    int64_t taken, sent, skipped, bad, last_taken, discarded;
    int64_t partition_taken[PLAN_MAX_PARTITIONS], partition_sent[PLAN_MAX_PARTITIONS];
    int64_t partition_last[PLAN_MAX_PARTITIONS];
    bool is_abandoned[PLAN_MAX_PARTITIONS]; /* and discards what is for it */
    struct side *consumers, *producers;     /* newest first */
    /* consuming */
    int64_t handled;     /* events of batches whose callback has finished */
    struct numbers kept; /* WORK_KEEP: to be emitted later */
};

struct run {
    const struct plan *plan;
    sh_host *host;
    sh_stage *driver;
    unsigned workers; /* 0: one, seeded */
    bool traces;
    struct actor actors[MODEL_MAX_ACTORS];
    int n_actors;
    _Atomic int current[PLAN_MAX_STAGES];   /* the actor that is a stage of the plan now */
    bool was_told_to_end[MODEL_MAX_ACTORS]; /* by the driver */
    uint32_t n_told;
    int next_step;
    int phase;
    bool is_settling;
    _Atomic bool is_closing; /* callbacks wait no more; manual subscriptions ask for all */
    _Atomic bool has_failed;
    char failure[512]; /* the first; written by the thread that sets has_failed */
};

/* driver.c: plays the plan; false with run->failure when something is wrong. */
bool model_run(struct run *run, const struct plan *plan, unsigned workers, bool traces);
/* Remembers the first failure. */
void model_fail(struct run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void model_trace(struct run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The actor that is a stage of the plan now. */
static inline struct actor *model_actor(struct run *run, int stage)
{
    int index = atomic_load(&run->current[stage]);
    return &run->actors[index];
}

/* restart.c */
/* Starts the stage of this actor, in its place in the plan. `first` (may be NULL; taken) is the
 * subscription that the stage starts with. */
void model_start(struct run *run, struct actor *actor, sh_subscribe_opts *first);
/* The driver has been told that the actor has ended: starts its successor if it is supervised, and
 * subscribes the successor to the actor's producers, and the actor's consumers to it. */
void model_restart(struct run *run, struct actor *dead);

/* steps.c */
void model_step(struct run *run, const struct step *step);
/* The options of a subscription to `step->other`; its `to` is borrowed. */
sh_subscribe_opts model_subscribe_opts(struct run *run, const struct step *step);

/* actor.c */
extern const sh_stage_ops *model_ops(const struct plan_stage *stage);
/* Ends the wait of its callback, if there is one. On its worker. */
void model_complete(struct actor *actor);

/* words.c */
sh_batch model_batch(int64_t number);
int64_t model_number(sh_batch message);
sh_error *model_reason(uint32_t k);
/* A static name of a reason. */
const char *model_reason_name(const sh_error *reason);

/* jobs.c */
int model_do(struct actor *actor, struct job *job, sh_result *r);

/* side.c */
void numbers_add(struct numbers *numbers, int64_t number);
struct side *side_new(struct actor *actor, sh_subscription *sub, bool is_consumer);
struct side *side_of(sh_subscription *sub, sh_role whose);
/* The k-th that has not been cancelled, counted round; NULL if there is none. */
struct side *side_pick(struct side *list, uint32_t k);
struct side *side_find(struct side *list, uint64_t id);
bool side_selects(const struct side *side, int64_t event);
void side_receive(struct side *side, int64_t event);
void side_receive_note(struct side *side, int64_t note);
void actor_fini(struct actor *actor);

/* tap.c */
struct tap_opts {
    struct actor *actor;
};
extern const sh_dispatcher_ops *tap_dispatcher(const struct plan_stage *plan);

/* choice.c */
enum { CHOICE_NONE = -1, CHOICE_BAD = -2 };
/* The partition of an event, or one of the above. */
int choice_partition(const struct plan_stage *plan, int64_t event);
sh_splitter *choice_splitter(const struct plan_stage *plan);
sh_selector *choice_selector(struct side *side);

/* quiet.c, ledger.c */
void check_quiet(struct run *run);
void check_ledger(struct run *run);

#endif

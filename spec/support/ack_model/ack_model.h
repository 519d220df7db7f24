/* SPDX-License-Identifier: MIT
 *
 * A run of the model test of acknowledgement: stages.c plays the stages, driver.c starts
 * and kills them, and lets waiting ones go on. */
#ifndef SPEC_ACK_MODEL_H
#define SPEC_ACK_MODEL_H

#include <stdatomic.h>
#include <stdio.h>

#include "stagehost.h"
#include "test.h"

enum {
    MOST_PRODUCERS = 2,
    MOST_EVENTS = 300,
    MOST_KILLS = 40,
    MOST_FAILS = 30,
    MOST_LIVES = MOST_KILLS + MOST_FAILS + 10,
    MOST_BATCH = 64,
};

enum role { BETWEEN, CONSUMER };

/* One life of a stage that may be killed. */
struct life {
    struct world *world;
    enum role role;
    int index;
    sh_stage *stage; /* a reference */
    struct test_random random;
    _Atomic bool has_ended;
    _Atomic bool is_waiting;
    uint64_t wakes;
    int64_t batch[MOST_BATCH];
    uint32_t n;
};

struct world {
    uint64_t seed;
    unsigned workers; /* 0: one, seeded */
    bool traces;
    struct test_random random;
    sh_host *host;
    sh_stage *driver, *producers[MOST_PRODUCERS];
    int n_producers, n_consumers, n_between, n_lives, kills_left;
    bool kills_between;
    int64_t n_events, max_demand;
    uint32_t max_deliver, waits, fails;
    int64_t emitted[MOST_PRODUCERS];
    struct life lives[MOST_LIVES];
    _Atomic int fails_left;
    _Atomic int alive[2]; /* lives by role */
    _Atomic uint8_t delivered[2][MOST_PRODUCERS][MOST_EVENTS];
    _Atomic uint8_t handled[2][MOST_PRODUCERS][MOST_EVENTS];
    _Atomic bool has_failed;
    char failure[256];
};

#define TRACE(world, ...)                                                                  \
    do {                                                                                   \
        if ((world)->traces)                                                               \
            printf(__VA_ARGS__);                                                           \
    } while (0)

struct source {
    struct world *world;
    int index;
};

/* stages.c: notes why the run has failed; only the first call counts. */
void ack_model_fail(struct world *world, const char *fmt, ...);
extern const sh_stage_ops ack_source_ops; /* its argument: a struct source from malloc */
extern const sh_stage_ops ack_life_ops;   /* its argument: a struct life */
/* Ends the wait of its handle_events. */
void ack_life_go_on(struct life *life, sh_stage *stage);

/* driver.c: its argument is the world. */
extern const sh_stage_ops ack_driver_ops;

#endif

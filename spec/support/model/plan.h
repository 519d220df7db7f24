/* SPDX-License-Identifier: MIT
 *
 * The plan of one run of the engine's model test: a few stages and a list of steps, all
 * drawn from one seed. A step assumes nothing about the state it meets: if it makes no
 * sense there it does nothing, so any step can be left out. */
#ifndef SPEC_MODEL_PLAN_H
#define SPEC_MODEL_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "stagehost.h"

enum { PLAN_MAX_STAGES = 6, PLAN_MAX_STEPS = 160, PLAN_MAX_PARTITIONS = 3 };

enum spread { SPREAD_DEMAND, SPREAD_BROADCAST, SPREAD_PARTITION, SPREAD_FAIR };

/* How a producer answers handle_demand. */
enum answers { ANSWERS_EXACTLY, ANSWERS_LESS, ANSWERS_MORE, ANSWERS_LATER };

/* What a producer_consumer does with its events. */
enum work { WORK_MAP, WORK_FILTER, WORK_GROW, WORK_KEEP };

struct plan_stage {
    sh_kind kind;
    enum spread spread;
    enum answers answers;
    enum work work;
    bool shuffles;
    bool selects;            /* broadcast: gives most consumers a selector         */
    uint32_t replay;         /* broadcast: so many events, to late subscribers     */
    bool groups;             /* partition: of several consumers                    */
    int64_t limit;           /* partition: events queued that hold up nobody       */
    bool discards_abandoned; /* partition: what the last of its consumers leaves */
    uint32_t n_partitions;   /* partition                                          */
    uint32_t none, bad;      /* partition: one in so many goes to none, is refused */
    int64_t max_demand;      /* demand dispatcher                                  */
    int64_t buffer_size;     /* as in sh_stage_opts                                */
    sh_keep keep;
    bool discards_without_consumers;
    bool accumulates;
    bool answers_demand; /* producer_consumer: has handle_demand       */
    bool hears;          /* producer_consumer: has handle_notification */
    bool ends_with_last;
    bool is_supervised; /* is started again when it has crashed */
    uint32_t waits;     /* percent of its callbacks that wait */
    uint64_t random;
};

#define PLAN_STEP_MAP(XX)                                                                  \
    XX(START, "start")             /* stage; subscribes to `other` if `flag`           */  \
    XX(SUBSCRIBE, "subscribe")     /* stage to other: max n, min m, cancel, manual flag */ \
    XX(RESUBSCRIBE, "resubscribe") /* stage, in place of its k-th subscription         */  \
    XX(CANCEL, "cancel")           /* stage its k-th subscription                      */  \
    XX(DISMISS, "dismiss")         /* stage its k-th consumer                          */  \
    XX(ASK, "ask")                 /* stage on its k-th subscription, if manual, for n */  \
    XX(FEED, "feed")               /* stage may emit n more to answer demand           */  \
    XX(EMIT, "emit")               /* stage emits n that nobody asked for              */  \
    XX(NOTIFY, "notify")           /* stage notifies its consumers, behind n events    */  \
    XX(TELL, "tell")               /* the driver notifies stage's consumers            */  \
    XX(INFO, "info")               /* stage sends itself an info, in band              */  \
    XX(MODE, "mode")               /* stage accumulates if `flag`, else forwards       */  \
    XX(STOP, "stop")               /* stage, with reason k                             */  \
    XX(KILL, "kill")               /* stage                                            */  \
    XX(FAIL, "fail")               /* a callback of stage fails                        */  \
    XX(QUIT, "quit")               /* a callback of stage stops it, reason k, n events */  \
    XX(COMPLETE, "complete")       /* what stage waits for                             */  \
    XX(UNKNOWN, "unknown")         /* stage subscribes to a name that nobody has       */  \
    XX(SETTLE, "settle")           /* until there is nothing to do; then checks        */

enum step_kind {
#define XX(name, text) STEP_##name,
    PLAN_STEP_MAP(XX)
#undef XX
};

struct step {
    enum step_kind kind;
    int stage, other;
    int64_t n, m;
    uint32_t k;
    sh_cancel cancel;
    bool flag;
    bool is_left_out;
};

/* How a run ends. */
enum finish { FINISH_DRAIN, FINISH_CUT_SHORT, FINISH_STOP };

struct plan {
    uint64_t seed;
    struct plan_stage stages[PLAN_MAX_STAGES];
    int n_stages;
    struct step steps[PLAN_MAX_STEPS];
    int n_steps;
    enum finish finish;
};

void plan_draw(struct plan *plan, uint64_t seed);
void plan_print_stage(const struct plan *plan, int index, FILE *file);
void plan_print_step(const struct step *step, FILE *file);
/* The steps that are not left out, and the stages that they start. */
void plan_print(const struct plan *plan, FILE *file);

#endif

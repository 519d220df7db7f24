/* SPDX-License-Identifier: MIT
 *
 * The partition dispatcher against a naive model, in random steps. */
#include <stdio.h>
#include <string.h>

#include "dispatch_rig.h"
#include "integer_splitter.h"
#include "test.h"

static struct rig rig;
static const char *const names[] = {"0", "1", "2"};

enum { N_PARTS = 3, MOST = 4096 };

/* A queue holds events, and markers as negative numbers. */
struct part {
    sh_stage stage;
    sh_subscription sub;
    char name[2];
    bool is_subscribed;
    int64_t demand;
    int64_t queue[MOST];
    int head, tail;
    int64_t queued; /* events */
};

struct model {
    struct part parts[N_PARTS];
    int pending[MOST]; /* queues that marker i stands in */
    int n_markers;
    int64_t next, end; /* in the buffer */
    int64_t owed;
    char words[4096];
};

static void append(struct model *model, const char *text)
{
    sprintf(model->words + strlen(model->words), "%s", text);
}

static void put(struct model *model, const char *fmt, const char *name, int64_t n)
{
    char *at = model->words + strlen(model->words);
    if (at > model->words)
        *at++ = ' ';
    if (name)
        sprintf(at, fmt, name, (long long)n);
    else
        sprintf(at, fmt, (long long)n);
}

static int64_t model_credit(const struct model *model)
{
    int64_t credit = 0;
    for (int i = 0; i < N_PARTS; i++)
        credit += model->parts[i].demand - model->parts[i].queued;
    return credit > 0 ? credit : 0;
}

/* Markers are numbered in pairs: the odd ones are notifications. */
static void model_pass(struct model *model, struct part *part, int marker)
{
    if (marker % 2 == 1)
        put(model, "%s!%lld", part->name, marker);
    if (--model->pending[marker] == 0)
        put(model, "done%lld", NULL, marker);
}

static void model_mark(struct model *model, int marker)
{
    for (int i = 0; i < N_PARTS; i++) {
        struct part *part = &model->parts[i];
        if (part->queued > 0) {
            part->queue[part->tail++] = -marker;
            model->pending[marker]++;
        } else if (part->is_subscribed && marker % 2 == 1) {
            put(model, "%s!%lld", part->name, marker);
        }
    }
    if (model->pending[marker] == 0)
        put(model, "done%lld", NULL, marker);
}

/* Puts events into queues, sends from those what has demand. */
static void model_dispatch(struct model *model, int64_t owed, int64_t end)
{
    int64_t limit = model_credit(model);
    int none = 0, bad = 0;
    if (limit < owed)
        limit = owed;
    for (; limit > 0 && model->next < end; model->next++) {
        int p = integer_with_holes(model->next, N_PARTS);
        none += p == TO_NONE;
        bad += p == TO_BAD;
        if (p < 0)
            continue;
        limit--;
        model->parts[p].queue[model->parts[p].tail++] = model->next;
        model->parts[p].queued++;
    }
    for (int i = 0; i < N_PARTS; i++) {
        struct part *part = &model->parts[i];
        bool any = false;
        while (part->demand > 0 && part->head < part->tail) {
            put(model, any ? "%lld" : "%s[%lld", any ? NULL : part->name,
                part->queue[part->head++]);
            part->demand--;
            part->queued--;
            any = true;
        }
        if (any)
            append(model, "]");
    }
    if (none > 0)
        put(model, "none%lld", NULL, none);
    if (bad > 0) {
        put(model, "bad%lld", NULL, bad);
        append(model, "?bad_event");
    }
}

static void model_settle(struct model *model)
{
    int64_t credit;
    while ((credit = model_credit(model)) > 0 && model->next < model->end) {
        int64_t end = model->end - model->next < credit ? model->end : model->next + credit;
        model_dispatch(model, 0, end);
    }
    if (credit > model->owed)
        model->owed = credit;
}

/* Behind the last event that an ask takes, infos wait for the next one if there are more events. */
static void model_pass_markers(struct model *model, struct part *part, bool is_exhausted)
{
    int waiting[MOST], n = 0;
    while (part->head < part->tail && part->queue[part->head] < 0) {
        int marker = (int)-part->queue[part->head++];
        if (is_exhausted && part->queued > 0 && marker % 2 == 0)
            waiting[n++] = marker;
        else
            model_pass(model, part, marker);
    }
    while (n > 0)
        part->queue[--part->head] = -waiting[--n];
}

static void model_ask(struct model *model, struct part *part, int64_t n)
{
    while (n > 0 && part->queued > 0) {
        bool any = false;
        model_pass_markers(model, part, false);
        while (n > 0 && part->head < part->tail && part->queue[part->head] >= 0) {
            put(model, any ? "%lld" : "%s[%lld", any ? NULL : part->name,
                part->queue[part->head++]);
            part->queued--;
            n--;
            any = true;
        }
        append(model, "]");
        model_pass_markers(model, part, n == 0);
    }
    part->demand += n;
}

static void model_emit(struct model *model, uint32_t n)
{
    int64_t answered = model->owed < n ? model->owed : n;
    bool was_empty = model->next == model->end;
    model->owed -= answered;
    model->end += n;
    if (was_empty)
        model_dispatch(model, answered, model->end);
}

static void model_step(struct model *model, struct test_random *random)
{
    struct part *part = &model->parts[test_random_below(random, N_PARTS)];
    uint32_t n = 1 + test_random_below(random, 6);
    uint32_t what = test_random_below(random, 20);
    model->words[0] = '\0';
    if (!part->is_subscribed && what < 6) {
        part->is_subscribed = true;
        sh_subscribe_opts opts = {.partition = names[part - model->parts]};
        part->sub = (sh_subscription)RIG_SUBSCRIPTION(&part->stage);
        CHECK_INT(rig_subscribe(&rig, &part->sub, &opts), SH_OK);
    } else if (part->is_subscribed && what < 1) {
        part->is_subscribed = false;
        part->demand = 0;
        rig_cancel(&rig, &part->sub);
    } else if (part->is_subscribed && what < 10) {
        model_ask(model, part, n);
        rig_ask(&rig, &part->sub, n);
    } else if (what < 17) {
        int64_t first = model->end;
        model_emit(model, n);
        rig_emit(&rig, first, n);
    } else if (model->next == model->end) { /* markers in the buffer are another spec's */
        int marker = ++model->n_markers;
        model_mark(model, marker);
        if (marker % 2 == 1)
            rig_notify(&rig, marker);
        else
            rig_info(&rig, marker);
    }
    model_settle(model);
    CHECK_TEXT(rig_words(&rig), model->words);
    CHECK_INT(rig.buffer.count, model->end - model->next);
    CHECK_INT(rig_credit(&rig), model_credit(model));
    CHECK_INT(rig.owed, model->owed);
}

static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        static struct model model;
        struct test_random random = test_random_seed(seed);
        model = (struct model){.next = 1, .end = 1};
        sh_partition_opts opts = {names, N_PARTS,
                                  integer_splitter(integer_with_holes, NULL)};
        CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, seed, NULL), SH_OK);
        for (int i = 0; i < N_PARTS; i++) {
            model.parts[i].name[0] = (char)('A' + i);
            model.parts[i].stage.name = model.parts[i].name;
        }
        for (int step = 0; step < 200; step++)
            model_step(&model, &random);
        rig_fini(&rig);
    }
}

int main(void)
{
    test_model();
    return test_end();
}

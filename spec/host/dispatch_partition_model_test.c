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

enum { N_PARTS = 3, N_MEMBERS = 3, MOST = 4096 };

struct member {
    sh_stage stage;
    sh_subscription sub;
    char name[3];
    bool is_subscribed;
    int64_t demand;
    uint64_t turn, joined;
};

/* A queue holds events, and markers as negative numbers. */
struct part {
    struct member members[N_MEMBERS]; /* without groups only the first */
    int64_t demand;                   /* of all */
    int64_t queue[MOST];
    int head, tail;
    int64_t queued; /* events */
    bool is_abandoned;
};

struct model {
    sh_partition_opts opts;
    struct part parts[N_PARTS];
    int pending[MOST]; /* queues that marker i stands in */
    int n_markers;
    uint64_t turns;
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
    for (int i = 0; i < N_PARTS; i++) {
        int64_t above = model->parts[i].queued - model->opts.limit;
        credit += model->parts[i].demand - (above > 0 ? above : 0);
    }
    return credit > 0 ? credit : 0;
}

/* All members in order of subscription. */
static void model_notify(struct model *model, struct part *part, int marker)
{
    for (uint64_t after = 0;;) {
        struct member *next = NULL;
        for (int m = 0; m < N_MEMBERS; m++) {
            struct member *member = &part->members[m];
            if (member->is_subscribed && member->joined > after &&
                (!next || member->joined < next->joined))
                next = member;
        }
        if (!next)
            return;
        put(model, "%s!%lld", next->name, marker);
        after = next->joined;
    }
}

/* Markers are numbered in pairs: the odd ones are notifications. */
static void model_pass(struct model *model, struct part *part, int marker)
{
    if (marker % 2 == 1)
        model_notify(model, part, marker);
    if (--model->pending[marker] == 0)
        put(model, "done%lld", NULL, marker);
}

static void model_mark(struct model *model, int marker)
{
    for (int i = 0; i < N_PARTS; i++) {
        struct part *part = &model->parts[i];
        if (part->is_abandoned && marker % 2 == 0) {
            continue;
        } else if (part->queued > 0) {
            part->queue[part->tail++] = -marker;
            model->pending[marker]++;
        } else if (marker % 2 == 1) {
            model_notify(model, part, marker);
        }
    }
    if (model->pending[marker] == 0)
        put(model, "done%lld", NULL, marker);
}

static struct member *best_member(struct part *part)
{
    struct member *best = NULL;
    for (int m = 0; m < N_MEMBERS; m++) {
        struct member *member = &part->members[m];
        if (member->demand > 0 &&
            (!best || member->demand > best->demand ||
             (member->demand == best->demand && member->turn < best->turn)))
            best = member;
    }
    return best;
}

/* Sends a member one message from the queue, where no marker is in the way. */
static void model_send(struct model *model, struct part *part, struct member *member)
{
    bool any = false;
    while (member->demand > 0 && part->head < part->tail && part->queue[part->head] >= 0) {
        put(model, any ? "%lld" : "%s[%lld", any ? NULL : member->name,
            part->queue[part->head++]);
        member->demand--;
        part->demand--;
        part->queued--;
        any = true;
    }
    append(model, "]");
    member->turn = ++model->turns;
}

static void model_pass_all(struct model *model, struct part *part)
{
    while (part->head < part->tail && part->queue[part->head] < 0)
        model_pass(model, part, (int)-part->queue[part->head++]);
}

/* What is too much for a queue that discards. */
static void model_drop(struct model *model, struct part *part)
{
    int64_t excess = part->queued - model->opts.limit;
    if (!model->opts.discards || excess <= 0)
        return;
    part->queued -= excess;
    if (model->opts.keep == SH_KEEP_FIRST) {
        part->tail -= (int)excess;
    } else {
        for (int64_t i = 0; i < excess; i++) {
            model_pass_all(model, part);
            part->head++;
        }
        model_pass_all(model, part);
    }
    put(model, "full%lld", NULL, excess);
    char *at = model->words + strlen(model->words);
    sprintf(at, ":%lld", (long long)model->opts.limit);
}

/* The last of its members has left, and no other is expected: infos wait for it no more. */
static void model_abandon(struct model *model, struct part *part)
{
    int kept = part->head;
    part->is_abandoned = true;
    for (int i = part->head; i < part->tail; i++) {
        if (part->queue[i] < 0 && part->queue[i] % 2 == 0)
            model_pass(model, part, (int)-part->queue[i]);
        else
            part->queue[kept++] = part->queue[i];
    }
    part->tail = kept;
}

/* Its queue, and what comes for it from now on, is dropped. */
static void model_drop_queue(struct model *model, struct part *part)
{
    int64_t n = part->queued;
    part->queued = 0;
    for (; part->head < part->tail; part->head++)
        if (part->queue[part->head] < 0)
            model_pass(model, part, (int)-part->queue[part->head]);
    if (n > 0)
        put(model, "drop%lld", NULL, n);
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
        while (part->demand > 0 && part->queued > 0)
            model_send(model, part, best_member(part));
        if (part->is_abandoned && model->opts.discards_abandoned)
            model_drop_queue(model, part);
        model_drop(model, part);
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

static void model_ask(struct model *model, struct part *part, struct member *member,
                      int64_t n)
{
    member->demand += n;
    part->demand += n;
    while (member->demand > 0 && part->queued > 0) {
        model_pass_markers(model, part, false);
        model_send(model, part, member);
        model_pass_markers(model, part, member->demand == 0);
    }
    member->turn = ++model->turns;
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

static void model_join(struct model *model, struct part *part, struct member *member)
{
    sh_subscribe_opts opts = {.partition = names[part - model->parts]};
    member->sub = (sh_subscription)RIG_SUBSCRIPTION(&member->stage);
    CHECK_INT(rig_subscribe(&rig, &member->sub, &opts), SH_OK);
    member->is_subscribed = true;
    part->is_abandoned = false;
    member->joined = member->turn = ++model->turns;
}

static void model_leave(struct model *model, struct part *part, struct member *member,
                        bool is_replaced)
{
    bool any = false;
    member->is_subscribed = false;
    part->demand -= member->demand;
    member->demand = 0;
    for (int m = 0; m < N_MEMBERS; m++)
        any = any || part->members[m].is_subscribed;
    if (!any && model->opts.discards_abandoned)
        model_drop_queue(model, part);
    if (!any && (model->opts.discards_abandoned || !is_replaced))
        model_abandon(model, part);
    if (is_replaced)
        rig_replace(&rig, &member->sub);
    else
        rig_cancel(&rig, &member->sub);
}

static void model_step(struct model *model, struct test_random *random)
{
    struct part *part = &model->parts[test_random_below(random, N_PARTS)];
    uint32_t which = test_random_below(random, model->opts.groups ? N_MEMBERS : 1);
    struct member *member = &part->members[which];
    uint32_t n = 1 + test_random_below(random, 6);
    uint32_t what = test_random_below(random, 20);
    model->words[0] = '\0';
    if (!member->is_subscribed && what < 6) {
        model_join(model, part, member);
    } else if (member->is_subscribed && what < 1) {
        model_leave(model, part, member, n > 4);
    } else if (member->is_subscribed && what < 10) {
        model_ask(model, part, member, n);
        rig_ask(&rig, &member->sub, n);
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

static void start(struct model *model, struct test_random *random, uint64_t seed)
{
    *model = (struct model){.next = 1, .end = 1};
    model->opts = (sh_partition_opts){
        .names = names, .n = N_PARTS, .groups = test_random_below(random, 2)};
    if (test_random_below(random, 2)) {
        model->opts.limit = 1 + test_random_below(random, 12);
        model->opts.discards = test_random_below(random, 2);
        model->opts.keep = test_random_below(random, 2) ? SH_KEEP_FIRST : SH_KEEP_LAST;
    }
    model->opts.discards_abandoned = test_random_below(random, 3) == 0;
    for (int i = 0; i < N_PARTS * N_MEMBERS; i++) {
        struct member *member = &model->parts[i / N_MEMBERS].members[i % N_MEMBERS];
        static const char first[] = "ABC", second[] = "012";
        member->name[0] = first[i / N_MEMBERS];
        member->name[1] = second[i % N_MEMBERS];
        member->stage.name = member->name;
    }
    sh_partition_opts opts = model->opts;
    opts.splitter = integer_splitter(integer_with_holes, NULL);
    CHECK_INT(rig_init(&rig, &sh_dispatcher_partition, &opts, seed, NULL), SH_OK);
}

static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(300); seed++) {
        static struct model model;
        struct test_random random = test_random_seed(seed);
        start(&model, &random, seed);
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

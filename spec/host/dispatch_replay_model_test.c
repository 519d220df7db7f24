/* SPDX-License-Identifier: MIT
 *
 * The broadcast with a memory against a naive model, in random steps. */
#include <stdio.h>
#include <string.h>

#include "dispatch_rig.h"
#include "integer_selector.h"
#include "test.h"

static struct rig rig;

enum { N_PEERS = 6, MOST = 2048 };

struct peer {
    sh_stage stage;
    sh_subscription sub;
    char name[2];
    int64_t modulus; /* 1: no selector */
    int64_t credit;
    int64_t queue[MOST]; /* to be replayed; notifications as negative numbers */
    int head, tail;
};

struct model {
    int64_t replay;
    int n_markers;
    int pending[MOST]; /* queues that a notification stands in */
    struct peer all[N_PEERS];
    struct peer *peers[N_PEERS]; /* subscribed, in order */
    int n;
    int64_t next, end; /* events that were emitted and not sent */
    char words[4096];
};

/* What may go to everybody: the smallest credit. */
static int64_t model_credit(const struct model *model)
{
    int64_t least = model->n > 0 ? INT64_MAX : 0;
    for (int i = 0; i < model->n; i++)
        if (model->peers[i]->credit < least)
            least = model->peers[i]->credit;
    return least;
}

static void model_write(struct model *model, struct peer *peer, int64_t from, int64_t to)
{
    char *at = model->words + strlen(model->words);
    bool any = false;
    for (int64_t event = from; event < to; event++) {
        if (event % peer->modulus != 0)
            continue;
        if (!any)
            at += sprintf(at, "%s%s[", at > model->words ? " " : "", peer->name);
        at += sprintf(at, any ? " %lld" : "%lld", (long long)event);
        peer->credit--;
        any = true;
    }
    if (any)
        sprintf(at, "]");
}

static void model_put(struct model *model, const char *fmt, const char *name, int64_t n)
{
    char *at = model->words + strlen(model->words);
    if (at > model->words)
        *at++ = ' ';
    if (name)
        sprintf(at, fmt, name, (long long)n);
    else
        sprintf(at, fmt, (long long)n);
}

static void model_pass_markers(struct model *model, struct peer *peer)
{
    while (peer->head < peer->tail && peer->queue[peer->head] < 0) {
        int marker = (int)-peer->queue[peer->head++];
        model_put(model, "%s!%lld", peer->name, marker);
        if (--model->pending[marker] == 0)
            model_put(model, "done%lld", NULL, marker);
    }
}

static void model_ask(struct model *model, struct peer *peer, int64_t n)
{
    while (n > 0 && peer->head < peer->tail) {
        bool any = false;
        while (n > 0 && peer->head < peer->tail && peer->queue[peer->head] >= 0) {
            model_put(model, "%s[%lld", peer->name, peer->queue[peer->head]);
            if (any) { /* one message */
                char *last = strrchr(model->words, ' ');
                sprintf(last, " %lld", (long long)peer->queue[peer->head]);
            }
            peer->head++;
            n--;
            any = true;
        }
        memcpy(model->words + strlen(model->words), "]", 2);
        model_pass_markers(model, peer);
    }
    peer->credit += n;
}

static void model_notify(struct model *model, int marker)
{
    for (int i = 0; i < model->n; i++) {
        struct peer *peer = model->peers[i];
        if (peer->head < peer->tail) {
            peer->queue[peer->tail++] = -marker;
            model->pending[marker]++;
        } else {
            model_put(model, "%s!%lld", peer->name, marker);
        }
    }
    if (model->pending[marker] == 0)
        model_put(model, "done%lld", NULL, marker);
}

static void model_send(struct model *model)
{
    int64_t credit;
    while ((credit = model_credit(model)) > 0 && model->next < model->end) {
        int64_t to = model->next + credit < model->end ? model->next + credit : model->end;
        for (int i = 0; i < model->n; i++)
            model_write(model, model->peers[i], model->next, to);
        model->next = to;
    }
}

static int model_find(const struct model *model, const struct peer *peer)
{
    for (int i = 0; i < model->n; i++)
        if (model->peers[i] == peer)
            return i;
    return -1;
}

static void model_subscribe(struct model *model, struct peer *peer)
{
    peer->sub = (sh_subscription)RIG_SUBSCRIPTION(&peer->stage);
    peer->credit = 0;
    peer->head = peer->tail = 0;
    int64_t first = model->next > model->replay ? model->next - model->replay : 0;
    for (int64_t event = first; event < model->next; event++)
        if (event % peer->modulus == 0)
            peer->queue[peer->tail++] = event;
    model->peers[model->n++] = peer;
    sh_subscribe_opts opts = {0};
    if (peer->modulus != 1)
        opts.selector = multiples_of(peer->modulus, NULL);
    CHECK_INT(rig_subscribe(&rig, &peer->sub, &opts), SH_OK);
}

static void model_cancel(struct model *model, int i)
{
    struct peer *peer = model->peers[i];
    model->n--;
    memmove(&model->peers[i], &model->peers[i + 1],
            (size_t)(model->n - i) * sizeof(struct peer *));
    for (; peer->head < peer->tail; peer->head++) {
        int64_t marker = -peer->queue[peer->head];
        if (marker > 0 && --model->pending[marker] == 0)
            model_put(model, "done%lld", NULL, marker);
    }
    rig_cancel(&rig, &peer->sub);
}

static void model_step(struct model *model, struct test_random *random)
{
    struct peer *peer = &model->all[test_random_below(random, N_PEERS)];
    uint32_t n = 1 + test_random_below(random, 6);
    uint32_t what = test_random_below(random, 20);
    int i = model_find(model, peer);
    model->words[0] = '\0';
    if (i < 0 && what < 4) {
        model_subscribe(model, peer);
    } else if (i >= 0 && what < 2) {
        model_cancel(model, i);
    } else if (i >= 0 && what < 14) {
        model_ask(model, peer, n);
        rig_ask(&rig, &peer->sub, n);
    } else if (what < 18) {
        model->end += n;
        rig_emit(&rig, model->end - n, n);
    } else if (model->next == model->end) { /* markers in the buffer are another spec's */
        int marker = ++model->n_markers;
        model_notify(model, marker);
        rig_notify(&rig, marker);
    }
    model_send(model);
    CHECK_TEXT(rig_words(&rig), model->words);
    CHECK_INT(rig.buffer.count, model->end - model->next);
    CHECK_INT(rig_credit(&rig), model_credit(model));
}

static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        struct test_random random = test_random_seed(seed);
        static struct model model;
        model = (struct model){.replay = 1 + test_random_below(&random, 20)};
        sh_replay_opts opts = {.n = model.replay};
        CHECK_INT(rig_init(&rig, &sh_dispatcher_replay, &opts, 0, NULL), SH_OK);
        for (int i = 0; i < N_PEERS; i++) {
            model.all[i].name[0] = (char)('A' + i);
            model.all[i].stage.name = model.all[i].name;
            model.all[i].modulus = i < N_PEERS / 2 ? 1 : i;
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

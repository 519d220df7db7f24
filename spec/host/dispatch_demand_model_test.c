/* SPDX-License-Identifier: MIT
 *
 * The demand dispatcher against a naive model, in random steps. */
#include <stdio.h>
#include <string.h>

#include "dispatch/demand_order.h"
#include "dispatch_rig.h"
#include "test.h"

static struct rig rig;

enum { N_PEERS = 7 };

struct peer {
    sh_stage stage;
    sh_subscription sub;
    char name[2];
    bool is_subscribed;
    int64_t demand;
    uint64_t turn;
};

struct model {
    struct peer peers[N_PEERS];
    uint64_t turns;
    int64_t next, end; /* events that were emitted and not sent */
    int64_t first_ask; /* by which a subscription begins; 0: none */
    char words[4096];
};

static struct peer *best(struct model *model)
{
    struct peer *best = NULL;
    for (int i = 0; i < N_PEERS; i++) {
        struct peer *peer = &model->peers[i];
        if (peer->is_subscribed && peer->demand > 0 &&
            (!best || peer->demand > best->demand ||
             (peer->demand == best->demand && peer->turn < best->turn)))
            best = peer;
    }
    return best;
}

static void model_send(struct model *model)
{
    struct peer *peer;
    model->words[0] = '\0';
    while (model->next < model->end && (peer = best(model)) != NULL) {
        char *at = model->words + strlen(model->words);
        at += sprintf(at, "%s%s[", at > model->words ? " " : "", peer->name);
        peer->turn = ++model->turns;
        for (bool more = true; more; at += sprintf(at, more ? " " : "]")) {
            at += sprintf(at, "%lld", (long long)model->next++);
            more = --peer->demand > 0 && model->next < model->end;
        }
    }
}

static void model_ask(struct model *model, struct peer *peer, int64_t n)
{
    peer->demand += n;
    peer->turn = ++model->turns;
    rig_ask(&rig, &peer->sub, n);
}

static void model_step(struct model *model, struct test_random *random)
{
    struct peer *peer = &model->peers[test_random_below(random, N_PEERS)];
    uint32_t n = 1 + test_random_below(random, 6);
    uint32_t what = test_random_below(random, 10);
    if (!peer->is_subscribed && what < 6) {
        peer->sub = (sh_subscription)RIG_SUBSCRIPTION(&peer->stage);
        peer->demand = 0;
        peer->is_subscribed = true;
        rig_subscribe(&rig, &peer->sub, NULL);
        if (model->first_ask > 0)
            model_ask(model, peer, model->first_ask);
    } else if (what < 1) {
        peer->is_subscribed = false;
        rig_cancel(&rig, &peer->sub);
    } else if (what < 6) {
        model_ask(model, peer, n);
    } else {
        rig_emit(&rig, model->end, n);
        model->end += n;
    }
    model_send(model);
    CHECK_TEXT(rig_words(&rig), model->words);
    CHECK_INT(rig.buffer.count, model->end - model->next);
}

/* Demands around the largest that has a queue of its own, too. */
static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        struct test_random random = test_random_seed(seed);
        struct model model = {.first_ask = seed % 2 ? 0 : SH__DEMAND_QUEUES - 4};
        sh_demand_opts opts = {.max_demand = 2000};
        CHECK_INT(rig_init(&rig, &sh_dispatcher_demand, &opts, seed, NULL), SH_OK);
        for (int i = 0; i < N_PEERS; i++) {
            model.peers[i].name[0] = (char)('A' + i);
            model.peers[i].stage.name = model.peers[i].name;
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

/* SPDX-License-Identifier: MIT
 *
 * The fair dispatcher in random steps against what the words promise: each dispatch takes
 * all it can, priorities come first, nobody is further than one event from its share, and
 * rounding evens out. The shares are found in another way than the dispatcher's: by looking
 * for the level up to which everybody is filled. */
#include <stdio.h>
#include <string.h>

#include "dispatch_rig.h"
#include "test.h"

static struct rig rig;

enum { N_PEERS = 7 };

struct peer {
    sh_stage stage;
    sh_subscription sub;
    char name[2];
    bool is_subscribed;
    uint32_t weight;
    int32_t priority;
    int64_t credit, received; /* before the step */
    double ahead;             /* of its shares so far, since somebody last came or went */
};

struct model {
    struct peer peers[N_PEERS];
    int64_t next; /* event */
};

/* What a peer would get when everybody is filled up to `level` events for each weight. */
static double filled(const struct peer *peer, int32_t priority, double level)
{
    if (!peer->is_subscribed || peer->priority != priority)
        return 0;
    double share = level * peer->weight, credit = (double)peer->credit;
    return share < credit ? share : credit;
}

/* The level at which a priority takes n events, by halving. */
static double find_level(const struct model *model, int32_t priority, double n)
{
    double low = 0, high = 1e6;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2, sum = 0;
        for (int k = 0; k < N_PEERS; k++)
            sum += filled(&model->peers[k], priority, middle);
        if (sum < n)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Checks what a priority got of n events; returns how many. */
static int64_t check_priority(struct model *model, int32_t priority, int64_t n)
{
    int64_t credit = 0, received = 0;
    for (int i = 0; i < N_PEERS; i++)
        if (model->peers[i].is_subscribed && model->peers[i].priority == priority)
            credit += model->peers[i].credit;
    int64_t expected = n < credit ? n : credit;
    double level = find_level(model, priority, (double)expected);
    for (int i = 0; i < N_PEERS; i++) {
        struct peer *peer = &model->peers[i];
        if (!peer->is_subscribed || peer->priority != priority)
            continue;
        int64_t got = peer->sub.received - peer->received;
        double share = filled(peer, priority, level);
        received += got;
        CHECK((double)got > share - 1.001 && (double)got < share + 1.001);
        CHECK(got <= peer->credit);
        peer->ahead += (double)got - share;
        CHECK(peer->ahead > -2.5 && peer->ahead < 2.5);
    }
    CHECK_INT(received, expected);
    return received;
}

static void remember(struct model *model)
{
    for (int i = 0; i < N_PEERS; i++) {
        model->peers[i].received = model->peers[i].sub.received;
        model->peers[i].credit = model->peers[i].sub.outstanding;
    }
}

static void forget_rounding(struct model *model)
{
    for (int i = 0; i < N_PEERS; i++)
        model->peers[i].ahead = 0;
}

static void check(struct model *model, int64_t n)
{
    for (int32_t priority = 2; priority >= 0; priority--)
        n -= check_priority(model, priority, n);
    CHECK_INT(rig.buffer.count, n);
    CHECK(n == 0 || rig_credit(&rig) == 0);
}

static void come(struct model *model, struct peer *peer, struct test_random *random)
{
    peer->weight = 1 + test_random_below(random, 5);
    peer->priority = (int32_t)test_random_below(random, 3);
    peer->sub = (sh_subscription)RIG_SUBSCRIPTION(&peer->stage);
    peer->is_subscribed = true;
    sh_subscribe_opts opts = {.weight = peer->weight, .priority = peer->priority};
    CHECK_INT(rig_subscribe(&rig, &peer->sub, &opts), SH_OK);
    forget_rounding(model);
}

static void step(struct model *model, struct test_random *random)
{
    struct peer *peer = &model->peers[test_random_below(random, N_PEERS)];
    uint32_t what = test_random_below(random, 20);
    int64_t buffered = rig.buffer.count;
    remember(model);
    if (!peer->is_subscribed && what < 12) {
        come(model, peer, random);
    } else if (what < 1) {
        peer->is_subscribed = false;
        rig_cancel(&rig, &peer->sub);
        forget_rounding(model);
    } else if (what < 10) {
        int64_t n = 1 + test_random_below(random, 40);
        peer->credit += n;
        rig_ask(&rig, &peer->sub, n);
        check(model, buffered);
    } else {
        uint32_t n = 1 + test_random_below(random, what < 15 ? 3 : 30);
        rig_emit(&rig, model->next, n);
        model->next += n;
        check(model, buffered + n);
    }
    rig_words(&rig);
}

static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        struct test_random random = test_random_seed(seed);
        struct model model = {.next = 1};
        CHECK_INT(rig_init(&rig, &sh_dispatcher_fair, NULL, seed, NULL), SH_OK);
        for (int i = 0; i < N_PEERS; i++) {
            model.peers[i].name[0] = (char)('A' + i);
            model.peers[i].stage.name = model.peers[i].name;
        }
        for (int i = 0; i < 300; i++)
            step(&model, &random);
        rig_fini(&rig);
    }
}

int main(void)
{
    test_model();
    return test_end();
}

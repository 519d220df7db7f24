/* SPDX-License-Identifier: MIT
 *
 * The list of what is not acknowledged: by hand, and against a naive model. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "events/unacked.h"
#include "test.h"

static struct sh__unacked unacked;
static char words[65536];

static void push(int64_t first, uint32_t n, uint32_t delivery)
{
    CHECK_INT(sh__unacked_push(&unacked, rig_integers(first, n), delivery), SH_OK);
}

/* "1 2#3 4#1": the events of each part, with the number of their next delivery. */
static const char *take(int64_t begun)
{
    sh_returned *parts;
    uint32_t n;
    words[0] = '\0';
    sh__unacked_take(&unacked, begun, &parts, &n);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < parts[i].events.n; k++)
            sprintf(words + strlen(words), "%s%d", words[0] ? " " : "",
                    (int)rig_integer(parts[i].events, k));
        sprintf(words + strlen(words), "#%u", parts[i].delivery);
        sh_batch_unref(parts[i].events);
    }
    CHECK_INT(unacked.events, 0);
    return words;
}

static void test_by_hand(void)
{
    CHECK_INT(sh__unacked_drop_oldest(&unacked, 5), 0);
    CHECK_TEXT(take(3), "");
    push(1, 3, 1);
    push(4, 2, 1);
    push(6, 1, 3);
    CHECK_INT(unacked.events, 6);
    CHECK_INT(sh__unacked_drop_oldest(&unacked, 2), 2);
    CHECK_TEXT(take(0), "3#1 4 5#1 6#3");

    push(1, 4, 1);
    push(5, 2, 2);
    CHECK_TEXT(take(4), "1 2 3 4#2 5 6#2");
    push(1, 4, 1);
    push(5, 2, 2);
    CHECK_TEXT(take(3), "1 2 3#2 4#1 5 6#2");
    push(1, 4, 1);
    push(5, 2, 2);
    CHECK_TEXT(take(99), "1 2 3 4#2 5 6#3");

    push(1, 4, 1);
    push(5, 2, 1);
    sh__unacked_drop_newest(&unacked, 3);
    CHECK_TEXT(take(0), "1 2 3#1");
    push(1, 2, 1);
    CHECK_INT(sh__unacked_drop_oldest(&unacked, 5), 2);
    CHECK_TEXT(take(0), "");
    sh__unacked_fini(&unacked);
}

static void test_out_of_memory(void)
{
    sh_batch batch = rig_integers(1, 2);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__unacked_push(&unacked, batch, 1), SH_ENOMEM);
    CHECK_INT(unacked.events, 0);
    sh_batch_unref(batch);
    push(1, 2, 1);
    CHECK_TEXT(take(1), "1#2 2#1");
    sh__unacked_fini(&unacked);
}

enum { MOST = 4096 };

struct model {
    int64_t events[MOST];
    uint32_t delivery[MOST];
    int n;
};

static void drop(struct model *model, int at, int n)
{
    int behind = model->n - at - n;
    memmove(model->events + at, model->events + at + n, (size_t)behind * sizeof(int64_t));
    memmove(model->delivery + at, model->delivery + at + n,
            (size_t)behind * sizeof(uint32_t));
    model->n -= n;
}

static void check_take(struct model *model, int64_t begun)
{
    sh_returned *parts;
    uint32_t n;
    int at = 0;
    sh__unacked_take(&unacked, begun, &parts, &n);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < parts[i].events.n; k++, at++) {
            CHECK_INT(rig_integer(parts[i].events, k), model->events[at]);
            CHECK_INT(parts[i].delivery, model->delivery[at] + (at < begun));
        }
        sh_batch_unref(parts[i].events);
    }
    CHECK_INT(at, model->n);
    model->n = 0;
}

static void step(struct model *model, struct test_random *random, int64_t *next)
{
    uint32_t n = 1 + test_random_below(random, 20);
    uint32_t what = test_random_below(random, 20);
    if (what < 9 && model->n + n < MOST) {
        uint32_t delivery = 1 + test_random_below(random, 3);
        push(*next, n, delivery);
        for (uint32_t i = 0; i < n; i++) {
            model->events[model->n] = (*next)++;
            model->delivery[model->n++] = delivery;
        }
    } else if (what < 17) {
        int64_t dropped = (int)n < model->n ? (int)n : model->n;
        CHECK_INT(sh__unacked_drop_oldest(&unacked, n), dropped);
        drop(model, 0, (int)dropped);
    } else if (what < 19 && (int)n <= model->n) {
        sh__unacked_drop_newest(&unacked, n);
        model->n -= (int)n;
    } else {
        check_take(model, test_random_below(random, 30));
    }
    CHECK_INT(unacked.events, model->n);
}

static void test_model(void)
{
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        static struct model model;
        struct test_random random = test_random_seed(seed);
        int64_t next = 1;
        model.n = 0;
        for (int i = 0; i < 300; i++)
            step(&model, &random, &next);
        sh__unacked_fini(&unacked);
    }
}

int main(void)
{
    test_by_hand();
    test_out_of_memory();
    test_model();
    return test_end();
}

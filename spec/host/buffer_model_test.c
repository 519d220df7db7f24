/* SPDX-License-Identifier: MIT
 *
 * The buffer against a naive model, in random steps. */
#include <stdio.h>
#include <string.h>

#include "buffer_rig.h"
#include "dispatch_rig.h"
#include "test.h"

enum { MOST = 8192 };

/* An event, or a marker as a negative number. Events that came back have a delivery. */
struct item {
    int64_t value;
    uint32_t delivery;
};

struct model {
    struct item items[MOST];
    int n;
    int64_t count, size;
    sh_keep keep;
    char words[65536];
};

static void put(struct model *model, int64_t item)
{
    sprintf(model->words + strlen(model->words), "%s%s%d", model->words[0] ? " " : "",
            item < 0 ? "!" : "", (int)(item < 0 ? -item : item));
}

static int64_t pop(struct model *model)
{
    int64_t value = model->items[0].value;
    memmove(model->items, model->items + 1, (size_t)--model->n * sizeof(struct item));
    return value;
}

static int64_t count_returned(const struct model *model)
{
    int64_t n = 0;
    for (int i = 0; i < model->n; i++)
        n += model->items[i].delivery > 0;
    return n;
}

static bool release(struct model *model)
{
    bool any = false;
    for (; model->n > 0 && model->items[0].value < 0; any = true)
        put(model, pop(model));
    return any;
}

/* What came back stays, and so do the markers behind it. */
static void drop_oldest(struct model *model)
{
    bool has_returned = count_returned(model) > 0;
    int i = 0;
    while (model->items[i].value < 0 || model->items[i].delivery > 0)
        i++;
    memmove(model->items + i, model->items + i + 1,
            (size_t)(--model->n - i) * sizeof(struct item));
    model->count--;
    if (!has_returned)
        release(model);
}

static int64_t model_store(struct model *model, int64_t first, uint32_t n)
{
    int64_t discarded = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (model->size >= 0 && model->keep == SH_KEEP_FIRST &&
            model->count - count_returned(model) >= model->size) {
            discarded++;
            continue;
        }
        model->items[model->n++] = (struct item){first + i, 0};
        model->count++;
        while (model->size >= 0 && model->count - count_returned(model) > model->size) {
            drop_oldest(model);
            discarded++;
        }
    }
    return discarded;
}

static void model_take(struct model *model, int64_t n)
{
    uint32_t delivery = model->n > 0 ? model->items[0].delivery : 0;
    CHECK_INT(buffer.taken_delivery, n > 0 ? delivery : buffer.taken_delivery);
    while (n-- > 0 && model->count > 0 && model->items[0].delivery == delivery) {
        put(model, pop(model));
        model->count--;
        if (release(model))
            break;
    }
}

static void model_put_back(struct model *model, int64_t first, uint32_t n,
                           uint32_t delivery)
{
    memmove(model->items + n, model->items, (size_t)model->n * sizeof(struct item));
    for (uint32_t i = 0; i < n; i++)
        model->items[i] = (struct item){first + i, delivery};
    model->n += (int)n;
    model->count += n;
}

static void model_step(struct model *model, struct test_random *random, int64_t *next)
{
    uint32_t n = test_random_below(random, test_random_below(random, 4) ? 6 : 40);
    uint32_t what = test_random_below(random, 10);
    model->words[0] = words[0] = '\0';
    if (what < 4) {
        CHECK_INT(store(*next, n), model_store(model, *next, n));
        *next += n;
    } else if (what < 6) {
        CHECK_INT(mark(*next), model->count > 0 ? SH_OK : SH_ESTATE);
        if (model->count > 0)
            model->items[model->n++] = (struct item){-*next, 0};
        ++*next;
    } else if (what < 9) {
        take_once(n);
        model_take(model, n);
    } else if (model->count < 100) {
        /* What was never sent is put back only where nothing that came back is left. */
        uint32_t delivery = test_random_below(random, 3);
        if (delivery == 0 && count_returned(model) > 0)
            delivery = 3;
        CHECK_INT(sh__buffer_return(&buffer, rig_integers(*next, n), delivery), SH_OK);
        model_put_back(model, *next, n, delivery);
        *next += n;
    }
    CHECK_TEXT(words, model->words);
    CHECK_INT(buffer.count, model->count);
}

static void test_model(void)
{
    static const int64_t sizes[] = {SH_BUFFER_INFINITY, 0, 1, 3, 10, 50};
    for (uint64_t seed = 1; seed <= test_seeds(200); seed++) {
        static struct model model;
        struct test_random random = test_random_seed(seed);
        int64_t next = 1;
        model.n = 0;
        model.count = 0;
        model.size = sizes[seed % 6];
        model.keep = seed / 6 % 2 ? SH_KEEP_FIRST : SH_KEEP_LAST;
        start(model.size, model.keep);
        for (int step = 0; step < 200; step++)
            model_step(&model, &random, &next);
        stop();
    }
}

int main(void)
{
    test_model();
    return test_end();
}

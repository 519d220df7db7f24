/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "batch.h"
#include "dispatch_rig.h"
#include "test.h"

static struct sh__buffer buffer;
static char words[65536];

static void start(int64_t size, sh_keep keep)
{
    sh__buffer_init(&buffer, size, keep);
}

static void stop(void)
{
    sh__buffer_fini(&buffer);
}

static void write_markers(struct sh__markers *released)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL) {
        sprintf(words + strlen(words), "%s!%d", words[0] ? " " : "",
                (int)rig_integer(marker->message, 0));
        sh__marker_free(marker);
    }
}

/* Stores first .. first + n - 1; writes markers that this sets free; returns the discarded.
 */
static int64_t store(int64_t first, uint32_t n)
{
    struct sh__markers released = {0};
    uint64_t discarded = 99;
    words[0] = '\0';
    CHECK_INT(sh__buffer_store(&buffer, rig_integers(first, n), &released, &discarded),
              SH_OK);
    write_markers(&released);
    return (int64_t)discarded;
}

static int mark(int64_t id)
{
    sh_marker *marker = sh__marker_new(false, rig_integers(id, 1));
    int status = sh__buffer_mark(&buffer, marker);
    if (status != SH_OK)
        sh__marker_free(marker);
    return status;
}

/* Takes once; "1 2 3 !7" are events and the markers behind them. */
static const char *take_once(int64_t n)
{
    struct sh__markers released = {0};
    sh_batch *parts;
    uint32_t n_parts;
    words[0] = '\0';
    int64_t before = buffer.count;
    int64_t got = sh__buffer_take(&buffer, n, &parts, &n_parts, &released);
    CHECK(got <= n);
    CHECK_INT(buffer.count, before - got);
    CHECK((got == 0) == (before == 0 || n == 0));
    for (uint32_t p = 0; p < n_parts; p++) {
        for (uint32_t i = 0; i < parts[p].n; i++)
            sprintf(words + strlen(words), "%s%d", words[0] ? " " : "",
                    (int)rig_integer(parts[p], i));
        got -= parts[p].n;
        sh__batch_unref(parts[p]);
    }
    CHECK_INT(got, 0);
    write_markers(&released);
    return words;
}

static void test_empty(void)
{
    start(10, SH_KEEP_LAST);
    CHECK_TEXT(take_once(5), "");
    CHECK_INT(mark(1), SH_ESTATE);
    CHECK_INT(store(1, 0), 0);
    CHECK_INT(buffer.count, 0);
    CHECK_TEXT(take_once(5), "");
    stop();
}

static void test_keep(void)
{
    start(5, SH_KEEP_LAST);
    CHECK_INT(store(0, 5), 0);
    CHECK_INT(store(5, 3), 3);
    CHECK_TEXT(take_once(9), "3 4 5 6 7");
    stop();

    start(5, SH_KEEP_FIRST);
    CHECK_INT(store(0, 5), 0);
    CHECK_INT(store(5, 3), 3);
    CHECK_TEXT(take_once(9), "0 1 2 3 4");
    CHECK_INT(store(8, 3), 0);
    CHECK_INT(store(11, 3), 1);
    CHECK_TEXT(take_once(9), "8 9 10 11 12");
    stop();

    start(3, SH_KEEP_FIRST);
    store(1, 3);
    CHECK_INT(store(4, 3), 3);
    CHECK_TEXT(take_once(3), "1 2 3");
    stop();

    start(3, SH_KEEP_LAST);
    store(1, 3);
    CHECK_INT(store(4, 3), 3);
    CHECK_TEXT(take_once(3), "4 5 6");
    stop();
}

static void test_more_than_fits_at_once(void)
{
    start(3, SH_KEEP_LAST);
    CHECK_INT(store(1, 2), 0);
    CHECK_INT(store(3, 10), 9);
    CHECK_TEXT(take_once(9), "10 11 12");
    stop();

    start(3, SH_KEEP_FIRST);
    CHECK_INT(store(1, 10), 7);
    CHECK_TEXT(take_once(9), "1 2 3");
    stop();
}

static void test_size_zero(void)
{
    for (int keep = 0; keep < 2; keep++) {
        start(0, keep ? SH_KEEP_FIRST : SH_KEEP_LAST);
        CHECK_INT(store(1, 4), 4);
        CHECK_INT(buffer.count, 0);
        CHECK_INT(mark(1), SH_ESTATE);
        stop();
    }
}

static void test_infinity(void)
{
    start(SH_BUFFER_INFINITY, SH_KEEP_LAST);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(store(3 * i, 3), 0);
    CHECK_INT(buffer.count, 3000);
    for (int i = 0; i < 1000; i++)
        take_once(3);
    CHECK_TEXT(words, "2997 2998 2999");
    stop();
}

static void test_markers_are_not_counted(void)
{
    start(10, SH_KEEP_LAST);
    store(1, 2);
    CHECK_INT(mark(100), SH_OK);
    CHECK_INT(mark(101), SH_OK);
    CHECK_INT(buffer.count, 2);
    stop(); /* with markers in it */

    start(2, SH_KEEP_FIRST);
    store(1, 2);
    for (int i = 0; i < 50; i++)
        CHECK_INT(mark(i), SH_OK);
    CHECK_INT(store(3, 1), 1);
    take_once(2);
    CHECK(strncmp(words, "1 2 !0 !1 !2", 12) == 0);
    stop();
}

static void test_markers_keep_their_place(void)
{
    start(10, SH_KEEP_LAST);
    store(1, 2);
    mark(100);
    store(3, 1);
    CHECK_TEXT(take_once(5), "1 2 !100");
    CHECK_TEXT(take_once(3), "3");
    stop();

    start(100, SH_KEEP_LAST); /* three on one event: first in, first out */
    store(1, 1);
    mark(100);
    mark(101);
    mark(102);
    CHECK_TEXT(take_once(1), "1 !100 !101 !102");
    stop();

    start(100, SH_KEEP_LAST);
    store(1, 2);
    mark(103);
    mark(104);
    store(5, 3);
    mark(108);
    mark(109);
    store(10, 1);
    mark(111);
    CHECK_TEXT(take_once(3), "1 2 !103 !104");
    CHECK_TEXT(take_once(1), "5");
    CHECK_TEXT(take_once(4), "6 7 !108 !109");
    CHECK_TEXT(take_once(2), "10 !111");
    stop();

    start(3, SH_KEEP_LAST); /* not before the event it stands behind */
    store(1, 3);
    mark(100);
    CHECK_TEXT(take_once(2), "1 2");
    store(4, 2);
    mark(101);
    CHECK_TEXT(take_once(1), "3 !100");
    CHECK_TEXT(take_once(2), "4 5 !101");
    stop();
}

static void test_dropping_sets_markers_free(void)
{
    start(3, SH_KEEP_LAST);
    store(1, 2);
    mark(103);
    mark(104);
    CHECK_INT(store(5, 3), 2);
    CHECK_TEXT(words, "!103 !104");
    CHECK_TEXT(take_once(9), "5 6 7");
    stop();

    start(3, SH_KEEP_LAST);
    store(1, 2);
    mark(100);
    CHECK_INT(store(3, 2), 1); /* 1 is gone, but not 2 */
    CHECK_TEXT(words, "");
    CHECK_INT(store(5, 9), 9);
    CHECK_TEXT(words, "!100");
    stop();

    struct sh__markers released = {0};
    start(3, SH_KEEP_LAST);
    store(1, 1);
    mark(100);
    store(2, 1);
    mark(101);
    CHECK_INT(sh__buffer_clear(&buffer, &released), 2);
    words[0] = '\0';
    write_markers(&released);
    CHECK_TEXT(words, "!100 !101");
    CHECK_INT(buffer.count, 0);
    CHECK_INT(sh__buffer_clear(&buffer, &released), 0);
    stop();
}

static void test_put_back(void)
{
    start(3, SH_KEEP_LAST);
    CHECK_INT(sh__buffer_put_back(&buffer, rig_integers(4, 2)), SH_OK);
    CHECK_INT(sh__buffer_put_back(&buffer, rig_integers(1, 3)), SH_OK);
    CHECK_INT(sh__buffer_put_back(&buffer, (sh_batch){0}), SH_OK);
    CHECK_INT(buffer.count, 5); /* whatever the size */
    CHECK_TEXT(take_once(9), "1 2 3 4 5");

    /* What goes back to where it came from needs no memory. */
    store(1, 3);
    struct sh__markers released = {0};
    sh_batch *parts;
    uint32_t n_parts;
    CHECK_INT(sh__buffer_take(&buffer, 2, &parts, &n_parts, &released), 2);
    CHECK_INT(n_parts, 1);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_put_back(&buffer, parts[0]), SH_OK);
    sh__alloc_fail_nth(0);
    CHECK_TEXT(take_once(9), "1 2 3");
    stop();
}

static void test_out_of_memory(void)
{
    struct sh__markers released = {0};
    uint64_t discarded;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        start(9, SH_KEEP_LAST);
        sh_batch batch = rig_integers(1, 3);
        sh__alloc_fail_nth(nth);
        int status = sh__buffer_store(&buffer, batch, &released, &discarded);
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        CHECK_INT(buffer.count, failed ? 0 : 3);
        stop();
    }

    start(20, SH_KEEP_LAST);
    for (int i = 0; i < 8; i++)
        store(2 * i, 1);
    sh_batch batch = rig_integers(16, 15);
    sh_marker *marker = sh__marker_new(false, rig_integers(100, 1));
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_store(&buffer, sh__batch_ref(batch), &released, &discarded),
              SH_ENOMEM);
    CHECK_INT(discarded, 0);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_mark(&buffer, marker), SH_ENOMEM);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_put_back(&buffer, sh__batch_ref(batch)), SH_ENOMEM);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_reserve(&buffer, 1), SH_ENOMEM);
    CHECK_INT(sh__buffer_reserve(&buffer, 20), SH_OK);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__buffer_mark(&buffer, marker), SH_OK);
    CHECK(sh__alloc_is_armed());
    sh__alloc_fail_nth(0);
    sh__batch_unref(batch);
    CHECK_TEXT(take_once(9), "0 2 4 6 8 10 12 14 !100");

    /* Taking goes on in smaller steps. */
    for (int i = 0; i < 12; i++)
        store(2 * i, 1);
    sh__alloc_fail_nth(1);
    CHECK_TEXT(take_once(12), "0 2 4 6 8 10 12 14");
    CHECK_TEXT(take_once(12), "16 18 20 22");
    stop();
}

/* ------------------------------------------------------------------ against a naive model
 */

enum { MOST = 8192 };

/* Events, and markers as negative numbers. */
struct model {
    int64_t items[MOST];
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
    int64_t item = model->items[0];
    memmove(model->items, model->items + 1, (size_t)--model->n * sizeof(item));
    return item;
}

static bool release(struct model *model)
{
    bool any = false;
    for (; model->n > 0 && model->items[0] < 0; any = true)
        put(model, pop(model));
    return any;
}

static int64_t model_store(struct model *model, int64_t first, uint32_t n)
{
    int64_t discarded = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (model->size >= 0 && model->keep == SH_KEEP_FIRST &&
            model->count >= model->size) {
            discarded++;
            continue;
        }
        model->items[model->n++] = first + i;
        model->count++;
        while (model->size >= 0 && model->count > model->size) {
            pop(model);
            model->count--;
            discarded++;
            release(model);
        }
    }
    return discarded;
}

static void model_take(struct model *model, int64_t n)
{
    while (n-- > 0 && model->count > 0) {
        put(model, pop(model));
        model->count--;
        if (release(model))
            break;
    }
}

static void model_put_back(struct model *model, int64_t first, uint32_t n)
{
    memmove(model->items + n, model->items, (size_t)model->n * sizeof(int64_t));
    for (uint32_t i = 0; i < n; i++)
        model->items[i] = first + i;
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
            model->items[model->n++] = -*next;
        ++*next;
    } else if (what < 9) {
        take_once(n);
        model_take(model, n);
    } else if (model->count < 100) {
        CHECK_INT(sh__buffer_put_back(&buffer, rig_integers(*next, n)), SH_OK);
        model_put_back(model, *next, n);
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
    test_empty();
    test_keep();
    test_more_than_fits_at_once();
    test_size_zero();
    test_infinity();
    test_markers_are_not_counted();
    test_markers_keep_their_place();
    test_dropping_sets_markers_free();
    test_put_back();
    test_out_of_memory();
    test_model();
    return test_end();
}

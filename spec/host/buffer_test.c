/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/alloc.h"
#include "buffer_rig.h"
#include "dispatch_rig.h"
#include "events/batch.h"
#include "test.h"

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
    for (int64_t i = 0; i < 1000; i++)
        CHECK_INT(store(3 * i, 3), 0);
    CHECK_INT(buffer.count, 3000);
    for (int64_t i = 0; i < 1000; i++)
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
    for (int64_t i = 0; i < 50; i++)
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

/* A dispatcher took only some of what it was offered: the rest goes back as it was. */
static void test_put_back_with_markers(void)
{
    struct sh__markers released = {0};
    sh_batch *parts;
    uint32_t n_parts;
    start(9, SH_KEEP_LAST);
    store(1, 3);
    mark(100);
    mark(101);
    store(4, 2);
    CHECK_INT(sh__buffer_take(&buffer, 9, &parts, &n_parts, &released), 3);
    sh_batch rest = sh_batch_slice(parts[0], 1, 2);
    sh__batch_unref(parts[0]);
    sh__alloc_fail_nth(1); /* there is room where it came from */
    CHECK_INT(sh__buffer_put_back_markers(&buffer, &released), SH_OK);
    CHECK_INT(sh__buffer_put_back(&buffer, rest), SH_OK);
    CHECK(sh__alloc_is_armed());
    sh__alloc_fail_nth(0);
    CHECK_POINTER(released.head, NULL);
    CHECK_INT(buffer.count, 4);
    CHECK_TEXT(take_once(9), "2 3 !100 !101");
    CHECK_TEXT(take_once(9), "4 5");
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
    for (int64_t i = 0; i < 8; i++)
        store(2 * i, 1);
    sh_batch batch = rig_integers(16, 15);
    sh_marker *marker = sh__marker_new(SH__MARKER_INFO, rig_integers(100, 1));
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
    for (int64_t i = 0; i < 12; i++)
        store(2 * i, 1);
    sh__alloc_fail_nth(1);
    CHECK_TEXT(take_once(12), "0 2 4 6 8 10 12 14");
    CHECK_TEXT(take_once(12), "16 18 20 22");
    stop();
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
    test_put_back_with_markers();
    test_out_of_memory();
    return test_end();
}

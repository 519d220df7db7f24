/* SPDX-License-Identifier: MIT
 *
 * Packed strings: blocks, ranges of them as events, parts of them in other blocks. */
#include "text/strings.h"

#include <string.h>

#include "base/alloc.h"
#include "events/batch.h"
#include "events/buffer.h"
#include "stagehost.h"
#include "test.h"

static sh_strings *pack(const char *const *texts, uint32_t n)
{
    sh_span *spans;
    char *bytes;
    size_t n_bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        n_bytes += strlen(texts[i]);
    sh_strings *strings = sh_strings_new(n, n_bytes, &spans, &bytes);
    CHECK(strings);
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        spans[i] = (sh_span){at, (uint32_t)strlen(texts[i])};
        memcpy(bytes + at, texts[i], spans[i].len);
        at += spans[i].len;
    }
    sh_strings_seal(strings);
    return strings;
}

static const char *const words[] = {"alpha", "", "beta", "gamma", "delta", "epsilon"};
enum { N_WORDS = 6 };

static sh_batch word_batch(uint32_t first, uint32_t n)
{
    sh_batch batch;
    CHECK_INT(sh_batch_from_strings(pack(words, N_WORDS), first, n, &batch), SH_OK);
    return batch;
}

static void check_strings(sh_batch batch, const char *const *expected, uint32_t n)
{
    sh_strings_view view;
    CHECK(sh_batch_see_strings(batch, &view));
    CHECK_INT(view.n, n);
    for (uint32_t i = 0; i < n; i++) {
        CHECK_INT(view.spans[i].len, strlen(expected[i]));
        CHECK(memcmp(view.bytes + view.spans[i].start, expected[i], view.spans[i].len) ==
              0);
    }
}

static void test_ranges(void)
{
    sh_batch all = word_batch(0, N_WORDS);
    check_strings(all, words, N_WORDS);
    sh_batch part = sh_batch_slice(all, 2, 3);
    sh_batch_unref(all);
    check_strings(part, words + 2, 3);
    uint32_t first;
    CHECK(sh_batch_strings(part, &first));
    CHECK_INT(first, 2);
    CHECK(!sh_batch_values(part));
    sh_batch_unref(part);

    sh_batch late = word_batch(4, 2);
    check_strings(late, words + 4, 2);
    sh_batch_unref(late);

    sh_batch none = word_batch(3, 0);
    CHECK(!none.list);
    sh_strings_view view;
    CHECK(!sh_batch_see_strings(none, &view));
}

static void test_derive(void)
{
    sh_strings *block = pack(words, N_WORDS);
    const sh_span spans[] = {{1, 3}, {5, 4}, {0, 0}};
    sh_strings *some = sh_strings_derive(block, spans, 3);
    sh_strings *fewer = sh_strings_derive(some, spans + 1, 1);
    CHECK(some && fewer);
    sh_strings_unref(block);
    sh_strings_unref(some);
    CHECK_INT(sh_strings_see(fewer).n, 1);
    CHECK(memcmp(sh_strings_see(fewer).bytes + sh_strings_see(fewer).spans->start, "beta",
                 4) == 0);
    sh_strings_unref(fewer);
    sh_strings_unref(NULL);
}

static void test_join(void)
{
    static const char *const joined[] = {"beta", "gamma", "alpha", "", "epsilon"};
    sh_batch parts[] = {word_batch(2, 2), word_batch(0, 2), word_batch(5, 1)};
    sh_batch out;
    uint32_t n_joined;
    CHECK_INT(sh__batch_join(NULL, parts, 3, &out, &n_joined), SH_OK);
    CHECK_INT(n_joined, 3);
    check_strings(out, joined, 5);
    sh_batch_unref(out);

    sh_batch all = word_batch(0, N_WORDS);
    sh_batch apart[] = {sh_batch_slice(all, 5, 1), sh_batch_slice(all, 0, 1)};
    uint32_t first;
    const char *bytes = sh_strings_see(sh_batch_strings(all, &first)).bytes;
    sh_batch_unref(all);
    static const char *const swapped[] = {"epsilon", "alpha"};
    CHECK_INT(sh__batch_join(NULL, apart, 2, &out, &n_joined), SH_OK);
    check_strings(out, swapped, 2);
    CHECK(sh_strings_see(sh_batch_strings(out, &first)).bytes == bytes);
    sh_batch_unref(out);
}

static void test_crossing(void)
{
    sh_batch all = word_batch(0, N_WORDS), part = sh_batch_slice(all, 1, 3);
    sh_parcel parcel;
    sh_error *error = NULL;
    CHECK_INT(sh_strings_ops.encode(NULL, &part, SH_ENCODE_EVENTS, &parcel, &error), SH_OK);
    CHECK_INT(parcel.len, 9 + 3 * sizeof(sh_span));
    sh_batch_unref(part);
    sh_batch_unref(all);
    sh_list *list = sh_strings_ops.decode(NULL, &parcel, &error);
    sh_parcel_free(&parcel);
    CHECK(list);
    check_strings((sh_batch){list, 0, list->n}, words + 1, 3);
    sh_batch_unref((sh_batch){list, 0, list->n});
}

static void test_deal(void)
{
    static const uint32_t place[] = {2, 0, 2, 2, 0, 2};
    static const char *const of_0[] = {"", "delta"};
    static const char *const of_2[] = {"alpha", "beta", "gamma", "epsilon"};
    sh_batch all = word_batch(0, N_WORDS), parts[3];
    CHECK_INT(sh__strings_deal(all, place, 3, parts), SH_OK);
    sh_batch_unref(all);
    check_strings(parts[0], of_0, 2);
    CHECK(!parts[1].list);
    check_strings(parts[2], of_2, 4);
    sh_batch_unref(parts[0]);
    sh_batch_unref(parts[2]);
}

/* A splitter puts a string where the hash of its value says. */
static void test_split(void)
{
    sh_splitter *splitter = sh_splitter_default();
    sh_batch parts[4];
    sh_split_job job = {
        .in = word_batch(0, N_WORDS), .limit = 5, .n_parts = 4, .parts = parts};
    CHECK_INT(splitter->split(splitter, &job), SH_OK);
    CHECK_INT(job.taken, 5);
    uint32_t n = 0;
    for (uint32_t p = 0; p < 4; p++) {
        sh_strings_view view = {0};
        sh_batch_see_strings(parts[p], &view);
        n += view.n;
        for (uint32_t i = 0; i < view.n; i++)
            CHECK_INT(
                sh_hash_place(
                    sh_hash_bytes(view.bytes + view.spans[i].start, view.spans[i].len), 4),
                p);
        sh_batch_unref(parts[p]);
    }
    CHECK_INT(n, 5);
    sh_batch_unref(job.in);
    splitter->free(splitter);
}

/* -- what waits ------------------------------------------------------------------------ */

enum { N_LINES = 1000, LINE = 40, N_BYTES = N_LINES * LINE, MOST_HELD = 4 * LINE };

static sh_batch lines(void)
{
    sh_span *spans;
    char *bytes;
    sh_strings *strings = sh_strings_new(N_LINES, N_BYTES, &spans, &bytes);
    CHECK(strings);
    memset(bytes, 'x', N_BYTES);
    for (uint32_t i = 0; i < N_LINES; i++)
        spans[i] = (sh_span){i * LINE, LINE};
    sh_strings_seal(strings);
    sh_batch batch;
    CHECK_INT(sh_batch_from_strings(strings, 0, N_LINES, &batch), SH_OK);
    return batch;
}

static uint64_t held(sh_batch batch)
{
    uint32_t first;
    return sh_batch_strings(batch, &first)->held;
}

/* One line of each block waits: it does not keep the others alive. */
static void test_compact(void)
{
    sh_batch all = lines();
    sh_batch half = sh_batch_slice(all, 0, N_LINES / 2), one = sh_batch_slice(all, 700, 1);
    sh__batch_compact(&half);
    CHECK(half.list == all.list);
    sh__batch_compact(&one);
    CHECK(one.list != all.list);
    CHECK(held(one) < MOST_HELD);
    CHECK_INT(one.n, 1);
    sh_batch_unref(all);
    sh_batch_unref(half);
    sh_batch_unref(one);
}

static void test_compact_in_buffer(void)
{
    struct sh__buffer buffer;
    struct sh__markers released = {0};
    sh__buffer_init(&buffer, SH_BUFFER_INFINITY, SH_KEEP_LAST);
    sh_batch *parts;
    uint64_t discarded;
    uint32_t n_parts;
    CHECK_INT(sh__buffer_store(&buffer, lines(), &released, &discarded), SH_OK);
    CHECK_INT(sh__buffer_take(&buffer, N_LINES - 1, &parts, &n_parts, &released),
              N_LINES - 1);
    sh_batch_unref(parts[0]);
    CHECK_INT(sh__buffer_take(&buffer, 1, &parts, &n_parts, &released), 1);
    CHECK(held(parts[0]) < MOST_HELD);
    sh_batch_unref(parts[0]);
    sh__buffer_fini(&buffer);
}

/* -- without memory -------------------------------------------------------------------- */

static void test_oom(void)
{
    static const uint32_t place[] = {0, 1, 0, 1, 0, 1};
    for (uint64_t nth = 1;; nth++) {
        sh_batch all = word_batch(0, N_WORDS), parts[2];
        sh__alloc_fail_nth(nth);
        int status = sh__strings_deal(all, place, 2, parts);
        bool is_over = sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, is_over ? SH_OK : SH_ENOMEM);
        for (int p = 0; p < 2; p++)
            sh_batch_unref(parts[p]);
        sh_batch_unref(all);
        if (is_over)
            break;
    }
    sh_batch all = lines(), one = sh_batch_slice(all, 3, 1);
    sh__alloc_fail_nth(1);
    sh__batch_compact(&one);
    sh__alloc_fail_nth(0);
    CHECK_INT(one.n, 1);
    sh_batch_unref(one);
    sh_batch_unref(all);
    CHECK(!sh_strings_new(1, (size_t)SH_STRINGS_MAX + 1, &(sh_span *){0}, &(char *){0}));
}

static void test_letters(void)
{
    sh_batch batch = word_batch(2, 2);
    sh_error *error = sh_error_fmt(SH_REASON_CUSTOM, 0, "bad", "it is bad");
    sh_list *list = sh_strings_ops.letters(NULL, &batch, error, "stage", 3);
    CHECK(list);
    const sh_value *letters = sh_batch_values((sh_batch){list, 0, 1});
    CHECK_INT(letters->u.list.n, 2);
    CHECK(memcmp(letters->u.list.items[1].u.map.items[1].u.string.data, "gamma", 5) == 0);
    sh_batch_unref((sh_batch){list, 0, 1});
    sh_error_unref(error);
    sh_batch_unref(batch);
}

int main(void)
{
    test_ranges();
    test_derive();
    test_join();
    test_crossing();
    test_deal();
    test_split();
    test_compact();
    test_compact_in_buffer();
    test_oom();
    test_letters();
    return test_end();
}

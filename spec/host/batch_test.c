/* SPDX-License-Identifier: MIT
 *
 * Ranges of lists, and lists of C values on their own way: copied in, joined, across
 * workers. */
#include "events/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dispatch_rig.h"
#include "test.h"

/* ------------------------------------------------------------------ values for tests */

static int n_destroyed;

static void destroy(void *data)
{
    (void)data;
    n_destroyed++;
}

static sh_value string(const char *text)
{
    return (sh_value){.type = SH_STRING, .u.string = {text, strlen(text)}};
}

static sh_value integer(int64_t n)
{
    return (sh_value){.type = SH_INTEGER, .u.integer = n};
}

static sh_value pointer(void *data, void (*free)(void *data))
{
    return (sh_value){.type = SH_POINTER, .u.pointer = {data, free}};
}

static bool are_equal(const sh_value *a, const sh_value *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool equal = a[i].type == b[i].type;
        if (!equal)
            return false;
        if (a[i].type == SH_BOOLEAN)
            equal = a[i].u.boolean == b[i].u.boolean;
        else if (a[i].type == SH_INTEGER)
            equal = a[i].u.integer == b[i].u.integer;
        else if (a[i].type == SH_NUMBER)
            equal = a[i].u.number == b[i].u.number;
        else if (a[i].type == SH_STRING)
            equal =
                a[i].u.string.len == b[i].u.string.len &&
                (a[i].u.string.len == 0 ||
                 memcmp(a[i].u.string.data, b[i].u.string.data, a[i].u.string.len) == 0);
        else if (a[i].type == SH_POINTER)
            equal = a[i].u.pointer.data == b[i].u.pointer.data;
        else if (a[i].type == SH_LIST)
            equal = a[i].u.list.n == b[i].u.list.n &&
                    are_equal(a[i].u.list.items, b[i].u.list.items, a[i].u.list.n);
        else if (a[i].type == SH_MAP)
            equal = a[i].u.map.n == b[i].u.map.n &&
                    are_equal(a[i].u.map.items, b[i].u.map.items, 2 * a[i].u.map.n);
        if (!equal)
            return false;
    }
    return true;
}

static sh_batch make(const sh_value *values, size_t n)
{
    sh_batch batch;
    CHECK_INT(sh_batch_from_values(values, n, &batch), SH_OK);
    CHECK_INT(batch.n, (int64_t)n);
    CHECK(are_equal(sh_batch_values(batch), values, n));
    return batch;
}

static sh_batch across(sh_batch batch)
{
    sh_parcel parcel = {0};
    sh_error *error = NULL;
    CHECK_INT(sh_values_ops.encode(NULL, &batch, SH_ENCODE_EVENTS, &parcel, &error), SH_OK);
    sh_list *list = sh_values_ops.decode(NULL, &parcel, &error);
    sh_parcel_free(&parcel);
    CHECK_POINTER(error, NULL);
    return (sh_batch){list, 0, list->n};
}

/* ------------------------------------------------------------------ ranges */

static void test_slices(void)
{
    sh_batch batch = rig_integers(10, 5);
    sh_batch slice = sh_batch_slice(batch, 1, 3);
    sh_batch inner = sh_batch_slice(slice, 2, 1);
    CHECK_INT(slice.n, 3);
    CHECK_INT(rig_integer(slice, 0), 11);
    CHECK_INT(rig_integer(inner, 0), 13);
    CHECK_POINTER(inner.list, batch.list);
    CHECK_INT(sh_batch_slice(batch, 5, 0).n, 0);
    CHECK_POINTER(sh_batch_slice(batch, 5, 0).list, NULL);
    sh_batch_unref(batch);
    sh_batch again = sh_batch_ref(inner);
    sh_batch_unref(slice);
    sh_batch_unref(inner);
    CHECK_INT(rig_integer(again, 0), 13);
    sh_batch_unref(again);
    sh_batch_unref((sh_batch){0});
    CHECK_INT(sh_batch_ref((sh_batch){0}).n, 0);
}

static void test_join_neighbours(void)
{
    uint32_t joined;
    sh_batch batch = rig_integers(1, 9), out;
    sh_batch parts[3] = {sh_batch_slice(batch, 1, 2), sh_batch_slice(batch, 3, 1),
                         sh_batch_slice(batch, 4, 4)};
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__batch_join(NULL, parts, 3, &out, &joined), SH_OK);
    CHECK(sh__alloc_is_armed());
    sh__alloc_fail_nth(0);
    CHECK_INT(joined, 3);
    CHECK_POINTER(out.list, batch.list);
    CHECK_INT(out.first, 1);
    CHECK_INT(out.n, 7);
    CHECK_INT(batch.list->refs, 2);
    sh_batch_unref(out);
    sh_batch_unref(batch);

    CHECK_INT(sh__batch_join(NULL, NULL, 0, &out, &joined), SH_OK);
    CHECK_INT(out.n, 0);
    CHECK_INT(joined, 0);
}

static void test_join_by_copy(void)
{
    uint32_t joined;
    sh_batch out, parts[3] = {rig_integers(1, 2), rig_integers(3, 1), rig_integers(4, 3)};
    sh__alloc_fail_nth(1);
    CHECK_INT(sh__batch_join(NULL, parts, 3, &out, &joined), SH_ENOMEM);
    CHECK_INT(rig_integer(parts[2], 0), 4); /* still ours */
    CHECK_INT(sh__batch_join(NULL, parts, 3, &out, &joined), SH_OK);
    CHECK_INT(joined, 3);
    CHECK_INT(out.n, 6);
    for (uint32_t i = 0; i < out.n; i++)
        CHECK_INT(rig_integer(out, i), i + 1);
    sh_batch_unref(out);
}

static void free_other(sh_list *list)
{
    free(list);
}

static void test_join_stops_at_another_kind(void)
{
    static const sh_list_ops other_ops = {.name = "other", .free = free_other};
    sh_list *other = malloc(sizeof *other);
    *other = (sh_list){&other_ops, 3, 1};
    uint32_t joined;
    sh_batch out, parts[4] = {rig_integers(1, 2), rig_integers(3, 1), {other, 0, 3}};
    CHECK_INT(sh__batch_join(NULL, parts, 3, &out, &joined), SH_OK);
    CHECK_INT(joined, 2);
    CHECK_INT(out.n, 3);
    sh_batch_unref(out);
    CHECK_INT(sh__batch_join(NULL, parts + 2, 1, &out, &joined), SH_OK);
    CHECK_INT(joined, 1);
    CHECK_POINTER(out.list, other);
    CHECK_POINTER(sh_batch_values(out), NULL);
    sh_batch_unref(out);
}

/* ------------------------------------------------------------------ values */

static void test_values(void)
{
    char text[] = "text";
    sh_value inner[] = {integer(1), string(""), {.type = SH_NIL}};
    sh_value pairs[] = {string("key"),
                        {.type = SH_LIST, .u.list = {inner, 3}},
                        integer(2),
                        {.type = SH_BOOLEAN, .u.boolean = true}};
    sh_value values[] = {
        {.type = SH_NIL},
        {.type = SH_BOOLEAN, .u.boolean = false},
        integer(INT64_MIN),
        integer(INT64_MAX),
        integer(-1),
        {.type = SH_NUMBER, .u.number = -0.5},
        {.type = SH_STRING, .u.string = {"a\0b", 3}},
        {.type = SH_STRING, .u.string = {NULL, 0}},
        string(text),
        pointer(text, NULL),
        {.type = SH_MAP, .u.map = {pairs, 2}},
        {.type = SH_LIST},
        {.type = SH_MAP},
    };
    enum { N = sizeof values / sizeof values[0] };
    sh_batch batch = make(values, N);
    const sh_value *copy = sh_batch_values(batch);
    CHECK(copy[8].u.string.data != text);
    CHECK_INT(copy[8].u.string.data[4], '\0');

    sh_batch other = across(batch);
    CHECK_INT(other.n, N);
    CHECK(are_equal(sh_batch_values(other), values, N));
    sh_batch_unref(other);

    sh_batch part = sh_batch_slice(batch, 8, 4);
    sh_batch_unref(batch);
    other = across(part);
    CHECK(are_equal(sh_batch_values(other), values + 8, 4));
    sh_batch_unref(other);
    sh_batch_unref(part);

    CHECK_INT(sh_batch_from_values(NULL, 0, &batch), SH_OK);
    CHECK_INT(batch.n, 0);
    CHECK_POINTER(batch.list, NULL);
    CHECK_POINTER(sh_batch_values(batch), NULL);
}

static void test_integers_across(void)
{
    sh_value values[130];
    for (size_t bit = 0; bit < 64; bit++) {
        values[2 * bit] = integer((int64_t)(UINT64_C(1) << bit));
        values[2 * bit + 1] = integer(~(int64_t)(UINT64_C(1) << bit));
    }
    values[128] = integer(0);
    values[129] = integer(127);
    sh_batch batch = make(values, 130), other = across(batch);
    CHECK(are_equal(sh_batch_values(other), values, 130));
    sh_batch_unref(batch);
    sh_batch_unref(other);
}

/* A pointer is destroyed once: when the last list or parcel that holds it goes. */
static void test_pointers(void)
{
    int x, y, z;
    sh_value inner[] = {pointer(&y, destroy)};
    sh_value values[] = {pointer(&x, destroy),
                         {.type = SH_LIST, .u.list = {inner, 1}},
                         pointer(&z, destroy)};
    n_destroyed = 0;
    sh_batch_unref(make(values, 3));
    CHECK_INT(n_destroyed, 3);

    n_destroyed = 0; /* joined: held by both lists */
    uint32_t joined;
    sh_batch batch = make(values, 3), out;
    sh_batch parts[2] = {sh_batch_slice(batch, 2, 1), sh_batch_slice(batch, 1, 1)};
    CHECK_INT(sh__batch_join(NULL, parts, 2, &out, &joined), SH_OK);
    CHECK_POINTER(sh_batch_values(out)[0].u.pointer.data, &z);
    CHECK_POINTER(sh_batch_values(out)[1].u.list.items[0].u.pointer.data, &y);
    sh_batch_unref(batch);
    CHECK_INT(n_destroyed, 1);
    sh_batch_unref(out);
    CHECK_INT(n_destroyed, 3);
}

static void test_pointers_across(void)
{
    int x, y;
    sh_value values[] = {pointer(&x, destroy), pointer(&y, destroy)};
    sh_parcel parcel = {0};
    n_destroyed = 0;
    sh_batch batch = make(values, 2);
    sh_batch second = sh_batch_slice(batch, 1, 1);
    CHECK_INT(sh_values_ops.encode(NULL, &second, SH_ENCODE_EVENTS, &parcel, NULL), SH_OK);
    sh_batch_unref(batch);
    sh_batch_unref(second);
    CHECK_INT(n_destroyed, 1);
    sh_parcel_free(&parcel); /* never decoded */
    CHECK_INT(n_destroyed, 2);

    n_destroyed = 0;
    batch = make(values, 2);
    sh_batch other = across(batch), third = across(other);
    CHECK_POINTER(sh_batch_values(third)[1].u.pointer.data, &y);
    sh_batch_unref(batch);
    sh_batch_unref(other);
    CHECK_INT(n_destroyed, 0);
    sh_batch_unref(third);
    CHECK_INT(n_destroyed, 2);
}

static void test_too_deep(void)
{
    static sh_value levels[SH_VALUE_DEPTH + 1];
    int x;
    levels[SH_VALUE_DEPTH] = pointer(&x, destroy);
    for (int i = SH_VALUE_DEPTH; i > 0; i--)
        levels[i - 1] = (sh_value){.type = SH_LIST, .u.list = {&levels[i], 1}};
    n_destroyed = 0;
    sh_batch batch;
    CHECK_INT(sh_batch_from_values(levels, 1, &batch), SH_EINVAL);
    CHECK_INT(n_destroyed, 0);
    batch = make(levels + 1, 1);
    sh_batch_unref(across(batch));
    sh_batch_unref(batch);
    CHECK_INT(n_destroyed, 1);
}

/* ------------------------------------------------------------------ memory */

static void test_out_of_memory(void)
{
    int x, y;
    sh_value values[] = {pointer(&x, destroy), string("text"), pointer(&y, destroy)};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        sh_batch batch;
        n_destroyed = 0;
        sh__alloc_fail_nth(nth);
        int status = sh_batch_from_values(values, 3, &batch);
        failed = !sh__alloc_is_armed();
        sh__alloc_fail_nth(0);
        CHECK_INT(status, failed ? SH_ENOMEM : SH_OK);
        sh_batch_unref(batch);
        CHECK_INT(n_destroyed, 2); /* taken on failure too */
    }

    sh_parcel parcel = {0};
    sh_error *error = NULL;
    sh_batch batch = make(values, 3);
    sh__alloc_fail_nth(1);
    CHECK_INT(sh_values_ops.encode(NULL, &batch, SH_ENCODE_EVENTS, &parcel, &error),
              SH_ENOMEM);
    CHECK_INT(sh_error_get(error)->code, SH_ENOMEM);
    sh_error_unref(error);
    error = NULL;
    CHECK_INT(sh_values_ops.encode(NULL, &batch, SH_ENCODE_EVENTS, &parcel, &error), SH_OK);
    sh_batch_unref(batch);
    sh__alloc_fail_nth(1);
    CHECK_POINTER(sh_values_ops.decode(NULL, &parcel, &error), NULL);
    CHECK_INT(sh_error_get(error)->code, SH_ENOMEM);
    sh_error_unref(error);
    n_destroyed = 0;
    sh_parcel_free(&parcel);
    CHECK_INT(n_destroyed, 2);
}

int main(void)
{
    test_slices();
    test_join_neighbours();
    test_join_by_copy();
    test_join_stops_at_another_kind();
    test_values();
    test_integers_across();
    test_pointers();
    test_pointers_across();
    test_too_deep();
    test_out_of_memory();
    return test_end();
}

/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "test.h"

static void test_codes(void)
{
    CHECK_INT(SH_ENOMEM, -1);
    CHECK_TEXT(sh_strerror(SH_OK), "ok");
    CHECK_TEXT(sh_err_name(SH_OK), "OK");
#define XX(name, value, text)                                                              \
    CHECK_TEXT(sh_strerror(SH_##name), text);                                              \
    CHECK_TEXT(sh_err_name(SH_##name), #name);                                             \
    CHECK_INT(SH_##name, value);
    SH_ERRNO_MAP(XX)
#undef XX
    CHECK_TEXT(sh_strerror(-1000), "unknown error");
    CHECK_TEXT(sh_err_name(1), "UNKNOWN");
}

static void test_reasons(void)
{
#define XX(name, text) CHECK_TEXT(sh_reason_name(SH_REASON_##name), text);
    SH_REASON_MAP(XX)
#undef XX
    CHECK_TEXT(sh_reason_name((sh_reason)99), "unknown");
}

static void test_normal_is_null(void)
{
    CHECK_INT(sh_error_get(NULL)->kind, SH_REASON_NORMAL);
    CHECK_TEXT(sh_error_get(NULL)->name, "normal");
    CHECK(sh_error_is_clean(NULL));
    CHECK_POINTER(sh_error_ref(NULL), NULL);
    sh_error_unref(NULL);
}

static void test_fields_are_copied(void)
{
    char text[] = "text";
    char bytes[] = {1, 0, 2};
    sh_error *error = sh_error_new(&(sh_error_fields){.kind = SH_REASON_RAISED,
                                                      .code = SH_EFAILED,
                                                      .name = "oops",
                                                      .message = text,
                                                      .stage = "p",
                                                      .callback = "handle_events",
                                                      .traceback = "at x",
                                                      .data = bytes,
                                                      .data_len = sizeof bytes});
    text[0] = 'n';
    bytes[0] = 9;
    const sh_error_fields *fields = sh_error_get(error);
    CHECK_INT(fields->kind, SH_REASON_RAISED);
    CHECK_INT(fields->code, SH_EFAILED);
    CHECK_TEXT(fields->name, "oops");
    CHECK_TEXT(fields->message, "text");
    CHECK_TEXT(fields->stage, "p");
    CHECK_TEXT(fields->callback, "handle_events");
    CHECK_TEXT(fields->traceback, "at x");
    CHECK_INT(fields->data_len, 3);
    CHECK(memcmp(fields->data, "\1\0\2", 3) == 0);
    CHECK_INT((int64_t)((uintptr_t)fields->data % sizeof(void *)), 0);
    CHECK(!sh_error_is_clean(error));
    CHECK_POINTER(sh_error_ref(error), error);
    sh_error_unref(error);
    CHECK_TEXT(sh_error_get(error)->message, "text");
    sh_error_unref(error);

    error = sh_error_new(&(sh_error_fields){.kind = SH_REASON_SHUTDOWN});
    CHECK_TEXT(sh_error_get(error)->name, "shutdown");
    CHECK_TEXT(sh_error_get(error)->message, NULL);
    CHECK_POINTER(sh_error_get(error)->data, NULL);
    CHECK(sh_error_is_clean(error));
    sh_error_unref(error);
}

static void test_fmt(void)
{
    sh_error *error =
        sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "bad_opts", "%s is %d", "x", 5);
    CHECK_TEXT(sh_error_get(error)->name, "bad_opts");
    CHECK_TEXT(sh_error_get(error)->message, "x is 5");
    CHECK_INT(sh_error_get(error)->code, SH_EBADOPT);
    sh_error_unref(error);

    char text[1000];
    memset(text, 'x', sizeof text);
    text[999] = '\0';
    error = sh_error_fmt(SH_REASON_CUSTOM, 0, NULL, "<%s>", text);
    CHECK_INT((int64_t)strlen(sh_error_get(error)->message), 1001);
    sh_error_unref(error);
    sh__alloc_fail_nth(1); /* the text is cut, the error is not lost */
    error = sh_error_fmt(SH_REASON_CUSTOM, 0, NULL, "<%s>", text);
    CHECK_INT((int64_t)strlen(sh_error_get(error)->message), 255);
    CHECK_TEXT(sh_error_get(error)->name, "custom");
    sh_error_unref(error);
}

static void test_out_of_memory(void)
{
    sh__alloc_fail_nth(1);
    sh_error *error = sh_error_fmt(SH_REASON_CUSTOM, 0, "oops", "message");
    CHECK(error != NULL); /* NULL would be normal */
    CHECK_INT(sh_error_get(error)->code, SH_ENOMEM);
    CHECK_TEXT(sh_error_get(error)->name, "out_of_memory");
    CHECK(!sh_error_is_clean(error));
    CHECK_POINTER(sh_error_ref(error), error);
    sh_error_unref(error);
    sh_error_unref(error);
    sh_error_unref(error);
    CHECK_INT(sh_error_get(error)->code, SH_ENOMEM);
}

/* ------------------------------------------------------------------ allocation */

static void test_allocation_fails_when_told(void)
{
    CHECK(!sh__alloc_is_armed());
    sh__alloc_fail_nth(3);
    void *first = sh_malloc(0);
    void *second = sh__calloc(3, 5);
    CHECK(first && second);
    CHECK(sh__alloc_is_armed());
    CHECK_POINTER(sh_realloc(first, 100), NULL); /* `first` is still there */
    CHECK(!sh__alloc_is_armed());
    first = sh_realloc(first, 100);
    CHECK(first != NULL);
    for (int i = 0; i < 15; i++)
        CHECK_INT(((char *)second)[i], 0);
    sh_free(first);
    sh_free(second);
    sh_free(NULL);
}

static void test_calloc_overflow(void)
{
    size_t half = SIZE_MAX / 2;
    CHECK_POINTER(sh__calloc(half, 3), NULL);
}

struct sharer {
    pthread_t thread;
    sh_error *error;
    int n_failed;
};

static void *share_error(void *data)
{
    struct sharer *self = data;
    void *memory[64];
    for (int i = 0; i < 10000; i++)
        sh_error_unref(sh_error_ref(self->error));
    for (int i = 0; i < 64; i++) {
        memory[i] = sh_malloc(1);
        self->n_failed += memory[i] == NULL;
    }
    for (int i = 0; i < 64; i++)
        sh_free(memory[i]);
    sh_error_unref(self->error);
    return NULL;
}

static void test_threads(void)
{
    struct sharer sharers[4] = {0};
    int n_failed = 0;
    sh_error *error = sh_error_fmt(SH_REASON_CUSTOM, 0, "oops", "shared");
    sh__alloc_fail_nth(64);
    for (int i = 0; i < 4; i++) {
        sharers[i].error = sh_error_ref(error);
        pthread_create(&sharers[i].thread, NULL, share_error, &sharers[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(sharers[i].thread, NULL);
        n_failed += sharers[i].n_failed;
    }
    CHECK_INT(n_failed, 1); /* exactly one, on whatever thread */
    CHECK_TEXT(sh_error_get(error)->message, "shared");
    sh_error_unref(error);
}

int main(void)
{
    test_codes();
    test_reasons();
    test_normal_is_null();
    test_fields_are_copied();
    test_fmt();
    test_out_of_memory();
    test_allocation_fails_when_told();
    test_calloc_overflow();
    test_threads();
    return test_end();
}

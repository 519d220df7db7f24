/* SPDX-License-Identifier: MIT
 *
 * Errors are one block: the head, then the opaque data (so that it is aligned), then the
 * texts. NULL means "normal", so a failure must never become NULL when memory runs out:
 * there is one immortal error for that case. */
#include "base/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct sh_error {
    atomic_uint refs;
    sh_error_fields fields;
};

static const struct sh_error out_of_memory = {
    .refs = 1,
    .fields = {.kind = SH_REASON_RAISED,
               .code = SH_ENOMEM,
               .name = "out_of_memory",
               .message = "out of memory"},
};

static const sh_error_fields normal_fields = {.kind = SH_REASON_NORMAL, .name = "normal"};

const char *sh_strerror(int code)
{
    switch (code) {
    case SH_OK:
        return "ok";
#define XX(name, value, text)                                                              \
    case value:                                                                            \
        return text;
        SH_ERRNO_MAP(XX)
#undef XX
    }
    return "unknown error";
}

const char *sh_err_name(int code)
{
    switch (code) {
    case SH_OK:
        return "OK";
#define XX(name, value, text)                                                              \
    case value:                                                                            \
        return #name;
        SH_ERRNO_MAP(XX)
#undef XX
    }
    return "UNKNOWN";
}

const char *sh_reason_name(sh_reason kind)
{
    switch (kind) {
#define XX(name, text)                                                                     \
    case SH_REASON_##name:                                                                 \
        return text;
        SH_REASON_MAP(XX)
#undef XX
    }
    return "unknown";
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* Copies `text` to *end and moves *end past it. */
static const char *copy_text(char **end, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*end, text, size);
    *end += size;
    return copy;
}

sh_error *sh_error_new(const sh_error_fields *fields)
{
    const char *name = fields->name ? fields->name : sh_reason_name(fields->kind);
    size_t size = sizeof(sh_error) + fields->data_len + text_size(name) +
                  text_size(fields->message) + text_size(fields->stage) +
                  text_size(fields->callback) + text_size(fields->traceback);
    sh_error *error = sh_malloc(size);
    if (!error)
        return (sh_error *)&out_of_memory;

    char *end = (char *)(error + 1);
    atomic_init(&error->refs, 1);
    error->fields = *fields;
    error->fields.data = NULL;
    if (fields->data_len > 0) {
        error->fields.data = memcpy(end, fields->data, fields->data_len);
        end += fields->data_len;
    }
    error->fields.name = copy_text(&end, name);
    error->fields.message = copy_text(&end, fields->message);
    error->fields.stage = copy_text(&end, fields->stage);
    error->fields.callback = copy_text(&end, fields->callback);
    error->fields.traceback = copy_text(&end, fields->traceback);
    return error;
}

/* Formats into `fixed` or, if that is too small, into memory that is returned. Without memory a
 * long text is cut rather than lost. */
static char *format_text(char *fixed, size_t size, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(fixed, size, fmt, args);
    char *heap = NULL;
    if (len >= 0 && (size_t)len >= size && (heap = sh_malloc((size_t)len + 1)) != NULL)
        vsnprintf(heap, (size_t)len + 1, fmt, again);
    va_end(again);
    return heap;
}

sh_error *sh_error_fmt(sh_reason kind, int code, const char *name, const char *fmt, ...)
{
    char fixed[256] = "";
    va_list args;
    va_start(args, fmt);
    char *heap = format_text(fixed, sizeof fixed, fmt, args);
    va_end(args);
    sh_error *error = sh_error_new(&(sh_error_fields){
        .kind = kind, .code = code, .name = name, .message = heap ? heap : fixed});
    sh_free(heap);
    return error;
}

sh_error *sh_error_ref(sh_error *error)
{
    if (error && error != &out_of_memory)
        atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
    return error;
}

void sh_error_unref(sh_error *error)
{
    if (!error || error == &out_of_memory)
        return;
    if (atomic_fetch_sub_explicit(&error->refs, 1, memory_order_acq_rel) == 1)
        sh_free(error);
}

const sh_error_fields *sh_error_get(const sh_error *error)
{
    return error ? &error->fields : &normal_fields;
}

bool sh_error_is_clean(const sh_error *error)
{
    sh_reason kind = sh_error_get(error)->kind;
    return kind == SH_REASON_NORMAL || kind == SH_REASON_SHUTDOWN;
}

sh_error *sh__error_enomem(void)
{
    return sh_error_fmt(SH_REASON_RAISED, SH_ENOMEM, NULL, "%s", sh_strerror(SH_ENOMEM));
}

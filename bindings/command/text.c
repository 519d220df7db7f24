/* SPDX-License-Identifier: MIT */
#include "command/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` bytes and the terminator. */
static bool text_reserve(struct cli_text *text, size_t more)
{
    size_t needed = text->len + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 128;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->is_cut = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void cli_text_add_bytes(struct cli_text *text, const char *bytes, size_t len)
{
    if (!text_reserve(text, len))
        return;
    if (len > 0)
        memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void cli_text_add(struct cli_text *text, const char *string)
{
    cli_text_add_bytes(text, string, strlen(string));
}

void cli_text_addf(struct cli_text *text, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !text_reserve(text, (size_t)len))
        return;
    va_start(args, fmt);
    vsnprintf(text->data + text->len, (size_t)len + 1, fmt, args);
    va_end(args);
    text->len += (size_t)len;
}

void cli_text_clear(struct cli_text *text)
{
    text->len = 0;
    if (text->data)
        text->data[0] = '\0';
}

void cli_text_fini(struct cli_text *text)
{
    free(text->data);
    *text = (struct cli_text){0};
}

const char *cli_text_get(const struct cli_text *text)
{
    return text->data ? text->data : "";
}

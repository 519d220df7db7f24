/* SPDX-License-Identifier: MIT */
#include "text/fields.h"

static sh_span find(const sh_field *field, const char *bytes, sh_span string)
{
    const char *start;
    size_t len;
    if (field->nth == 0)
        return string;
    struct sh__fields fields = sh__fields_of(field, bytes + string.start, string.len);
    if (!sh__fields_nth(&fields, field->nth, &start, &len))
        return (sh_span){string.start + string.len, 0};
    return (sh_span){(uint32_t)(start - bytes), (uint32_t)len};
}

sh_span sh_field_find(const sh_field *field, const char *bytes, sh_span string)
{
    return find(field, bytes, string);
}

sh_strings *sh_text_field(sh_strings *of, sh_strings_view in, const sh_field *field)
{
    sh_span *spans = sh_malloc(in.n * sizeof *spans);
    if (!spans)
        return NULL;
    for (uint32_t i = 0; i < in.n; i++)
        spans[i] = find(field, in.bytes, in.spans[i]);
    sh_strings *out = sh_strings_derive(of, spans, in.n);
    sh_free(spans);
    return out;
}

/* -- all fields ------------------------------------------------------------------------ */

struct places {
    sh_span *spans;
    uint32_t n, capacity;
};

static bool add(struct places *places, sh_span span)
{
    if (places->n == places->capacity) {
        uint32_t capacity = places->capacity < 64 ? 128 : 2 * places->capacity;
        sh_span *spans = capacity > places->capacity
                             ? sh_realloc(places->spans, capacity * sizeof *spans)
                             : NULL;
        if (!spans)
            return false;
        places->spans = spans;
        places->capacity = capacity;
    }
    places->spans[places->n++] = span;
    return true;
}

static bool add_fields(struct places *places, const sh_field *field, const char *bytes,
                       sh_span string)
{
    const char *start;
    size_t len;
    struct sh__fields fields = sh__fields_of(field, bytes + string.start, string.len);
    if (field->nth > 0)
        return !sh__fields_nth(&fields, field->nth, &start, &len) ||
               add(places, (sh_span){(uint32_t)(start - bytes), (uint32_t)len});
    while (sh__fields_next(&fields, &start, &len))
        if (!add(places, (sh_span){(uint32_t)(start - bytes), (uint32_t)len}))
            return false;
    return true;
}

sh_strings *sh_text_split(sh_strings *of, sh_strings_view in, const sh_field *field)
{
    struct places places = {0};
    uint32_t i = 0;
    while (i < in.n && add_fields(&places, field, in.bytes, in.spans[i]))
        i++;
    const sh_span none = {0}, *spans = places.spans ? places.spans : &none;
    sh_strings *out = i == in.n ? sh_strings_derive(of, spans, places.n) : NULL;
    sh_free(places.spans);
    return out;
}

/* SPDX-License-Identifier: MIT
 *
 * Dead letters of C values: a list with one map for each event. */
#include "events/values_letters.h"

#include <string.h>

#include "base/alloc.h"
#include "events/values.h"

enum { LETTER_ITEMS = 8, ERROR_ITEMS = 10 };

static sh_value text(const char *string)
{
    if (!string)
        return (sh_value){.type = SH_NIL};
    return (sh_value){.type = SH_STRING, .u.string = {string, strlen(string)}};
}

/* { name =, message =, stage =, callback =, traceback = }; unknown fields are nil. */
static sh_value describe(const sh_error *error, sh_value items[ERROR_ITEMS])
{
    const sh_error_fields *fields = sh_error_get(error);
    const char *const pairs[ERROR_ITEMS] = {
        "name",        fields->name, "message",        fields->message, "stage",
        fields->stage, "callback",   fields->callback, "traceback",     fields->traceback};
    for (int i = 0; i < ERROR_ITEMS; i++)
        items[i] = text(pairs[i]);
    return (sh_value){.type = SH_MAP, .u.map = {items, ERROR_ITEMS / 2}};
}

/* A copy of one value; all its pointers with a destructor are in `events`. */
static sh_list *copy(const sh_value *value, const sh_batch *events)
{
    struct sh__extent extent = {0};
    if (!sh__values_measure(value, 1, &extent))
        return NULL;
    struct sh__values *list = sh__values_new(1, &extent);
    if (!list)
        return NULL;
    struct sh__box **boxes = sh__values_boxes(events, extent.boxes);
    for (size_t i = 0; i < extent.boxes; i++)
        list->boxes[i] = sh__box_ref(boxes[i]);
    sh__values_copy(list, list->items, value, 1);
    return &list->head;
}

sh_list *sh__values_letters(sh_worker *worker, const sh_batch *events,
                            const sh_error *error, const char *stage, uint32_t deliveries)
{
    (void)worker;
    size_t n = events->n;
    const sh_value *event = sh_batch_values(*events);
    sh_value *letters = sh__calloc(n, sizeof *letters);
    sh_value *items = sh__calloc(n, LETTER_ITEMS * sizeof *items);
    sh_list *list = NULL;
    if (letters && items) {
        sh_value of_error[ERROR_ITEMS];
        const sh_value why = describe(error, of_error);
        for (size_t i = 0; i < n; i++) {
            const sh_value pairs[LETTER_ITEMS] = {
                text("event"),      event[i],
                text("error"),      why,
                text("stage"),      text(stage),
                text("deliveries"), {.type = SH_INTEGER, .u.integer = deliveries}};
            memcpy(items + LETTER_ITEMS * i, pairs, sizeof pairs);
            letters[i] = (sh_value){.type = SH_MAP,
                                    .u.map = {items + LETTER_ITEMS * i, LETTER_ITEMS / 2}};
        }
        const sh_value message = {.type = SH_LIST, .u.list = {letters, n}};
        list = copy(&message, events);
    }
    sh_free(items);
    sh_free(letters);
    return list;
}

/* SPDX-License-Identifier: MIT */
#include "dispatch_rig.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/batch.h"
#include "test.h"

static struct rig *rig_of(sh_dispatch *out)
{
    return (struct rig *)((char *)out - offsetof(struct rig, out));
}

static void write_down(struct rig *rig, const char *fmt, ...)
{
    size_t len = strlen(rig->words);
    va_list args;
    va_start(args, fmt);
    if (!rig->quiet)
        vsnprintf(rig->words + len, sizeof rig->words - len, fmt, args);
    va_end(args);
}

static void write_word(struct rig *rig)
{
    if (rig->words[0] != '\0')
        write_down(rig, " ");
}

sh_batch rig_integers(int64_t first, uint32_t n)
{
    sh_batch batch;
    sh_value *values = calloc(n ? n : 1, sizeof *values);
    for (uint32_t i = 0; i < n; i++)
        values[i] = (sh_value){.type = SH_INTEGER, .u.integer = first + i};
    int status = sh_batch_from_values(values, n, &batch);
    assert(status == SH_OK);
    (void)status;
    free(values);
    return batch;
}

int64_t rig_integer(sh_batch batch, uint32_t i)
{
    return sh_batch_values(batch)[i].u.integer;
}

static void rig_do_send(sh_dispatch *out, sh_subscription *to, sh_batch batch)
{
    struct rig *rig = rig_of(out);
    CHECK(batch.n > 0 && batch.n <= to->outstanding);
    CHECK(batch.first + batch.n <= batch.list->n);
    to->outstanding -= batch.n;
    to->received += batch.n;
    rig->n_sent += batch.n;
    write_word(rig);
    write_down(rig, "%s[", to->name);
    for (uint32_t i = 0; i < batch.n; i++) {
        int64_t event = rig_integer(batch, i);
        CHECK(event > to->last);
        to->last = event;
        write_down(rig, "%s%" PRId64, i > 0 ? " " : "", event);
    }
    write_down(rig, "]");
    sh_batch_unref(batch);
}

static void rig_do_notify(sh_dispatch *out, sh_subscription *to, sh_marker *marker)
{
    struct rig *rig = rig_of(out);
    CHECK(sh_marker_is_notification(marker));
    write_word(rig);
    write_down(rig, "%s!%" PRId64, to->name, rig_integer(marker->message, 0));
}

static void rig_do_release(sh_dispatch *out, sh_marker *marker)
{
    struct rig *rig = rig_of(out);
    write_word(rig);
    write_down(rig, "done%" PRId64, rig_integer(marker->message, 0));
    sh__marker_free(marker);
}

static void rig_do_fail(sh_dispatch *out, sh_subscription *sub, sh_error *error)
{
    struct rig *rig = rig_of(out);
    sub->failed = true;
    write_word(rig);
    write_down(rig, "%s?%s", sub->name, sh_error_get(error)->name);
    sh_error_unref(error);
}

static void rig_do_skip(sh_dispatch *out, uint32_t n, sh_error *error)
{
    struct rig *rig = rig_of(out);
    CHECK(n > 0);
    rig->n_skipped += n;
    write_word(rig);
    if (error)
        write_down(rig, "bad%" PRIu32 "?%s", n, sh_error_get(error)->name);
    else
        write_down(rig, "none%" PRIu32, n);
    sh_error_unref(error);
}

static void rig_do_refuse(sh_dispatch *out, sh_batch events, sh_error *error)
{
    struct rig *rig = rig_of(out);
    CHECK(events.n > 0);
    rig->n_skipped += events.n;
    write_word(rig);
    write_down(rig, "refused[");
    for (uint32_t i = 0; i < events.n; i++)
        write_down(rig, "%s%" PRId64, i > 0 ? " " : "", rig_integer(events, i));
    write_down(rig, "]?%s", sh_error_get(error)->name);
    sh_batch_unref(events);
    sh_error_unref(error);
}

static void rig_do_drop(sh_dispatch *out, uint64_t n)
{
    struct rig *rig = rig_of(out);
    CHECK(n > 0);
    rig->n_discarded += (uint32_t)n;
    write_word(rig);
    write_down(rig, "drop%" PRIu64, n);
}

static void rig_do_discard(sh_dispatch *out, uint64_t n, int64_t size)
{
    struct rig *rig = rig_of(out);
    CHECK(n > 0);
    rig->n_discarded += (uint32_t)n;
    write_word(rig);
    write_down(rig, "full%" PRIu64 ":%" PRId64, n, size);
}

static void rig_do_warn(sh_dispatch *out, sh_subscription *sub, int64_t n, int64_t max)
{
    struct rig *rig = rig_of(out);
    write_word(rig);
    write_down(rig, "%s>%" PRId64 ":%" PRId64, sub->name, n, max);
}

int rig_init(struct rig *rig, const sh_dispatcher_ops *ops, const void *opts, uint64_t seed,
             sh_error **error)
{
    *rig = (struct rig){.ops = ops,
                        .out = {.send = rig_do_send,
                                .notify = rig_do_notify,
                                .release = rig_do_release,
                                .fail = rig_do_fail,
                                .skip = rig_do_skip,
                                .refuse = rig_do_refuse,
                                .drop = rig_do_drop,
                                .discard = rig_do_discard,
                                .warn = rig_do_warn}};
    sh__buffer_init(&rig->buffer, SH_BUFFER_INFINITY, SH_KEEP_LAST);
    rig->state = calloc(1, ops->size);
    return ops->init(rig->state, opts, seed, error);
}

void rig_fini(struct rig *rig)
{
    rig->ops->fini(rig->state);
    free(rig->state);
    sh__buffer_fini(&rig->buffer);
}

/* Dispatches an owned batch; returns how much was taken, and puts the rest back at the head. */
static void offer(struct rig *rig, sh_batch batch, int64_t owed)
{
    sh_error *error = NULL;
    uint32_t before = rig->n_sent + rig->n_skipped + rig->n_discarded;
    bool takes_owed = rig->ops->queues && rig->ops->queues->takes_owed;
    int64_t held = takes_owed ? rig->ops->queues->held(rig->state, SH_HELD_ALL) : 0;
    rig->out.owed = owed;
    int64_t taken = rig->ops->dispatch(rig->state, batch, &rig->out, &error);
    CHECK(taken >= 0 && taken <= batch.n);
    /* Nothing gets lost: every event taken was sent, skipped, or is in a queue. */
    if (takes_owed)
        CHECK_INT(rig->n_sent + rig->n_skipped + rig->n_discarded - before +
                      rig->ops->queues->held(rig->state, SH_HELD_ALL) - held,
                  taken);
    uint32_t left = batch.n - (uint32_t)taken;
    CHECK_INT(
        sh__buffer_put_back(&rig->buffer, sh_batch_slice(batch, (uint32_t)taken, left)),
        SH_OK);
    sh_batch_unref(batch);
}

static void pass(struct rig *rig, sh_marker *marker)
{
    if (rig->ops->queues)
        CHECK_INT(rig->ops->queues->mark(rig->state, marker, &rig->out), SH_OK);
    else
        rig_do_release(&rig->out, marker);
}

/* Sends what is buffered as far as credit goes; returns the new demand. */
static int64_t settle(struct rig *rig)
{
    int64_t credit;
    while ((credit = rig_credit(rig)) > 0 && rig->buffer.count > 0) {
        struct sh__markers released = {0};
        sh_batch *parts, batch;
        uint32_t n_parts, joined;
        sh_marker *marker;
        int64_t n = sh__buffer_take(&rig->buffer, credit, &parts, &n_parts, &released);
        CHECK(n > 0 && n <= credit);
        CHECK_INT(sh__batch_join(NULL, parts, n_parts, &batch, &joined), SH_OK);
        CHECK_INT(joined, n_parts);
        offer(rig, batch, 0);
        while ((marker = sh__markers_pop(&released)) != NULL)
            pass(rig, marker);
    }
    int64_t missing = rig_credit(rig) - rig->owed;
    if (missing <= 0)
        return 0;
    rig->owed += missing;
    return missing;
}

int rig_subscribe(struct rig *rig, sh_subscription *sub, sh_subscribe_opts *opts)
{
    sh_error *error = NULL;
    sh_subscribe_opts none = {0};
    int status = rig->ops->subscribe(rig->state, sub, opts ? opts : &none, &error);
    CHECK((status == SH_OK) == (error == NULL));
    if (status != SH_OK)
        rig_do_fail(&rig->out, sub, error);
    CHECK_INT(settle(rig), 0);
    return status;
}

int64_t rig_cancel(struct rig *rig, sh_subscription *sub)
{
    rig->ops->cancel(rig->state, sub, &rig->out);
    sub->outstanding = 0;
    return settle(rig);
}

int64_t rig_replace(struct rig *rig, sh_subscription *sub)
{
    rig->out.expects_another = true;
    int64_t asked = rig_cancel(rig, sub);
    rig->out.expects_another = false;
    return asked;
}

int64_t rig_clear(struct rig *rig)
{
    struct sh__markers released = {0};
    sh_marker *marker;
    int64_t n = rig->ops->queues->clear(rig->state, &rig->out);
    n += sh__buffer_clear(&rig->buffer, &released);
    while ((marker = sh__markers_pop(&released)) != NULL)
        pass(rig, marker);
    CHECK_INT(settle(rig), 0);
    return n;
}

void *rig_place(struct rig *rig, sh_subscription *sub)
{
    return rig->ops->queues->place(rig->state, sub);
}

int64_t rig_give_back(struct rig *rig, void *place, int64_t first, uint32_t n)
{
    sh_returned part = {.events = rig_integers(first, n), .delivery = 2};
    CHECK_INT(rig->ops->queues->give_back(rig->state, place, &part, 1, &rig->out), SH_OK);
    return settle(rig);
}

int64_t rig_ask(struct rig *rig, sh_subscription *sub, int64_t n)
{
    sub->outstanding += n;
    rig->ops->ask(rig->state, sub, n, &rig->out);
    return settle(rig);
}

int64_t rig_emit(struct rig *rig, int64_t first, uint32_t n)
{
    sh_batch batch = rig_integers(first, n);
    int64_t answered = rig->owed < n ? rig->owed : n;
    rig->owed -= answered;
    if (rig->buffer.count > 0) {
        struct sh__markers released = {0};
        uint64_t discarded;
        CHECK_INT(sh__buffer_store(&rig->buffer, batch, &released, &discarded), SH_OK);
    } else {
        offer(rig, batch, answered);
    }
    return settle(rig);
}

static int64_t put_marker(struct rig *rig, enum sh__marker_kind kind, int64_t id)
{
    sh_marker *marker = sh__marker_new(kind, rig_integers(id, 1));
    if (sh__buffer_mark(&rig->buffer, marker) != SH_OK)
        pass(rig, marker);
    return settle(rig);
}

int64_t rig_info(struct rig *rig, int64_t id)
{
    return put_marker(rig, SH__MARKER_INFO, id);
}

int64_t rig_notify(struct rig *rig, int64_t id)
{
    return put_marker(rig, SH__MARKER_NOTIFICATION, id);
}

int64_t rig_credit(const struct rig *rig)
{
    int64_t credit = rig->ops->credit(rig->state);
    CHECK(credit >= 0);
    return credit;
}

const char *rig_words(struct rig *rig)
{
    static char words[sizeof rig->words];
    memcpy(words, rig->words, sizeof words);
    rig->words[0] = '\0';
    return words;
}

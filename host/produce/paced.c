/* SPDX-License-Identifier: MIT
 *
 * A dispatcher without queues sends what it takes, so it is enough to limit what it takes: each
 * event counts once, however many consumers get it. A dispatcher with queues also sends when it is
 * asked, so asks are passed on in pieces that may be sent now, and each event sent counts.
 *
 * There is one timer to wait for the limiter; it runs only while the demand exceeds what the
 * limiter allows. */
#include "produce/paced.h"

#include <string.h>

#include "base/alloc.h"
#include "dispatch/rate.h"
#include "produce/emit.h"
#include "produce/producer.h"
#include "stage/above.h"
#include "stage/agenda.h"
#include "stage/clock.h"
#include "stage/timer.h"

/* An ask; or the place of a queue with returned events and demand for them (sub NULL). */
struct withheld {
    sh_subscription *sub;
    int64_t n;
    void *place;
};

struct paced {
    sh_dispatcher_ops ops; /* those that the stage sees */
    sh_dispatcher_queue_ops queues;
    const sh_dispatcher_ops *inner;
    void *inner_state;
    sh_stage *stage;
    uint64_t timer;            /* 0: not running */
    struct withheld *withheld; /* asks, in order */
    uint32_t n_withheld, capacity;
    struct sh__rate rate;
};

static struct paced *paced_of(const sh_stage *stage)
{
    return stage->out->dispatcher_state;
}

static void wait_for(struct paced *self, uint64_t now, int64_t n)
{
    if (self->timer)
        return;
    uint64_t ns = sh__rate_wait_ns(&self->rate, now, n);
    sh__timer_rate(self->stage, (ns + 999999) / 1000000, &self->timer);
}

static uint64_t sent_by(const struct paced *self)
{
    return self->stage->stats.events_out;
}

/* -- the dispatcher -------------------------------------------------------------------- */

static void paced_fini(void *state)
{
    struct paced *self = state;
    self->inner->fini(self->inner_state);
    sh_free(self->inner_state);
    sh_free(self->withheld);
    if (self->timer)
        sh_timer_cancel(self->stage, self->timer);
}

static int paced_subscribe(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                           sh_error **error)
{
    struct paced *self = state;
    return self->inner->subscribe(self->inner_state, sub, opts, error);
}

static void forget_withheld(struct paced *self, uint32_t i)
{
    self->n_withheld--;
    memmove(self->withheld + i, self->withheld + i + 1,
            (self->n_withheld - i) * sizeof *self->withheld);
}

static void paced_cancel(void *state, sh_subscription *sub, sh_dispatch *out)
{
    struct paced *self = state;
    for (uint32_t i = self->n_withheld; i > 0; i--)
        if (self->withheld[i - 1].sub == sub)
            forget_withheld(self, i - 1);
    self->inner->cancel(self->inner_state, sub, out);
}

/* Asks the inner dispatcher, and counts the events it then sends. */
static int64_t ask(struct paced *self, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    uint64_t before = sent_by(self);
    self->inner->ask(self->inner_state, sub, n, out);
    int64_t sent = (int64_t)(sent_by(self) - before);
    sh__rate_take(&self->rate, sh__clock_now(self->stage->worker->host), sent);
    return sent;
}

/* Lets the inner dispatcher put events back, and send as many of that queue as it may now. */
static int give_back(struct paced *self, void *place, const sh_returned *parts, uint32_t n,
                     sh_dispatch *out, int64_t *sent)
{
    uint64_t before = sent_by(self), now = sh__clock_now(self->stage->worker->host);
    int64_t allowed = sh__rate_allowed(&self->rate, now);
    out->is_paced = true;
    out->allowed = allowed > 0 ? allowed : 0;
    int status = self->inner->queues->give_back(self->inner_state, place, parts, n, out);
    out->is_paced = false;
    *sent = (int64_t)(sent_by(self) - before);
    sh__rate_take(&self->rate, now, *sent);
    return status;
}

/* Lets a queue go on with its returned events; if that was all of them, asks follow as usual. */
static void release_place(struct paced *self, void *place, int64_t allowed,
                          sh_dispatch *out)
{
    int64_t sent;
    give_back(self, place, NULL, 0, out, &sent);
    if (sent >= allowed) /* there is room: an entry has just been forgotten */
        self->withheld[self->n_withheld++] = (struct withheld){.place = place};
}

/* Passes on withheld asks, in turn, as far as the rate allows. If nothing was sent, the queue is
 * empty, and the rest is demand for events to come. */
static void release(struct paced *self, sh_dispatch *out)
{
    while (self->n_withheld > 0) {
        struct withheld first = self->withheld[0];
        uint64_t now = sh__clock_now(self->stage->worker->host);
        int64_t allowed = sh__rate_allowed(&self->rate, now);
        if (allowed <= 0) {
            wait_for(self, now, 1);
            return;
        }
        forget_withheld(self, 0);
        if (first.place) {
            release_place(self, first.place, allowed, out);
            continue;
        }
        int64_t n = first.n < allowed ? first.n : allowed;
        int64_t sent = ask(self, first.sub, n, out);
        first.n -= n;
        if (first.n > 0 && sent == 0)
            ask(self, first.sub, first.n, out);
        else if (first.n > 0)
            self->withheld[self->n_withheld++] = first;
    }
}

static bool grow(struct paced *self)
{
    uint32_t capacity = self->capacity ? 2 * self->capacity : 4;
    struct withheld *list = sh_realloc(self->withheld, capacity * sizeof *list);
    if (!list)
        return false;
    self->withheld = list;
    self->capacity = capacity;
    return true;
}

static void paced_ask(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out)
{
    struct paced *self = state;
    bool has_queues = self->inner->queues != NULL;
    if (has_queues && (self->n_withheld < self->capacity || grow(self))) {
        self->withheld[self->n_withheld++] = (struct withheld){.sub = sub, .n = n};
        release(self, out);
    } else {
        self->inner->ask(self->inner_state, sub, n, out);
    }
}

/* At least a portion, or the inner credit if that is less; 0 until that much is allowed. */
static int64_t paced_credit(const void *state)
{
    struct paced *self = (struct paced *)state;
    int64_t credit = self->inner->credit(self->inner_state);
    if (credit <= 0)
        return credit;
    uint64_t now = sh__clock_now(self->stage->worker->host);
    int64_t allowed = sh__rate_allowed(&self->rate, now);
    int64_t wanted = credit < self->rate.portion ? credit : self->rate.portion;
    if (allowed < wanted) {
        wait_for(self, now, wanted);
        return 0;
    }
    return credit < allowed ? credit : allowed;
}

static int64_t paced_dispatch(void *state, sh_batch batch, sh_dispatch *out,
                              sh_error **error)
{
    struct paced *self = state;
    uint64_t now = sh__clock_now(self->stage->worker->host);
    int64_t allowed = sh__rate_allowed(&self->rate, now);
    if (batch.n > allowed) { /* if no credit is needed, no other code waits for more */
        int64_t wanted = batch.n < self->rate.portion ? batch.n : self->rate.portion;
        if (allowed < wanted)
            wait_for(self, now, wanted);
        batch.n = (uint32_t)allowed;
    }
    if (out->owed > batch.n)
        out->owed = batch.n;
    if (batch.n == 0)
        return 0;
    uint64_t before = sent_by(self);
    int64_t taken = self->inner->dispatch(self->inner_state, batch, out, error);
    bool has_queues = self->inner->queues != NULL;
    int64_t sent = has_queues ? (int64_t)(sent_by(self) - before) : taken;
    sh__rate_take(&self->rate, now, sent);
    return taken;
}

static int paced_mark(void *state, sh_marker *marker, sh_dispatch *out)
{
    struct paced *self = state;
    return self->inner->queues->mark(self->inner_state, marker, out);
}

static int64_t paced_held(const void *state, sh_held which)
{
    const struct paced *self = state;
    return self->inner->queues->held(self->inner_state, which);
}

static int64_t paced_clear(void *state, sh_dispatch *out)
{
    struct paced *self = state;
    return self->inner->queues->clear(self->inner_state, out);
}

static const char *paced_partition_of(const void *state, sh_subscription *sub)
{
    const struct paced *self = state;
    return self->inner->queues->partition_of(self->inner_state, sub);
}

static void *paced_place(const void *state, sh_subscription *sub)
{
    const struct paced *self = state;
    return self->inner->queues->place(self->inner_state, sub);
}

/* Returned events are sent again as the rate allows; they count again. */
static int paced_give_back(void *state, void *place, const sh_returned *parts, uint32_t n,
                           sh_dispatch *out)
{
    struct paced *self = state;
    if (self->n_withheld == self->capacity && !grow(self))
        return SH_ENOMEM;
    int64_t sent;
    int status = give_back(self, place, parts, n, out, &sent);
    if (status == SH_OK) {
        self->withheld[self->n_withheld++] = (struct withheld){.place = place};
        release(self, out);
    }
    return status;
}

/* -- its life -------------------------------------------------------------------------- */

int sh__rate_check(const sh_rate *rate, sh_error **error)
{
    bool is_given = rate->events != 0 || rate->per_ms != 0;
    if (!is_given || (rate->events >= 1 && rate->per_ms >= 1))
        return SH_OK;
    if (error)
        *error = sh_error_fmt(SH_REASON_CUSTOM, SH_EBADOPT, "rate",
                              "rate: events and per_ms must be at least 1");
    return SH_EBADOPT;
}

static sh_dispatcher_queue_ops wrapped_queues(const sh_dispatcher_queue_ops *inner)
{
    return (sh_dispatcher_queue_ops){
        .held = paced_held,
        .mark = paced_mark,
        .clear = inner->clear ? paced_clear : NULL,
        .takes_owed = inner->takes_owed,
        .partition_of = inner->partition_of ? paced_partition_of : NULL,
        .place = inner->place ? paced_place : NULL,
        .give_back = inner->give_back ? paced_give_back : NULL};
}

int sh__paced_wrap(sh_stage *stage, const sh_rate *rate)
{
    struct sh__producer *out = stage->out;
    struct paced *self = sh__calloc(1, sizeof *self);
    if (!self)
        return SH_ENOMEM;
    self->stage = stage;
    self->inner = out->dispatcher;
    self->inner_state = out->dispatcher_state;
    if (self->inner->queues)
        self->queues = wrapped_queues(self->inner->queues);
    self->ops = (sh_dispatcher_ops){.name = self->inner->name,
                                    .size = sizeof *self,
                                    .fini = paced_fini,
                                    .subscribe = paced_subscribe,
                                    .cancel = paced_cancel,
                                    .ask = paced_ask,
                                    .credit = paced_credit,
                                    .dispatch = paced_dispatch,
                                    .shares_events = self->inner->shares_events,
                                    .reads = self->inner->reads,
                                    .queues = self->inner->queues ? &self->queues : NULL};
    sh__rate_init(&self->rate, rate->events, rate->per_ms, 1);
    out->lane = NULL;
    out->dispatcher = &self->ops;
    out->dispatcher_state = self;
    return SH_OK;
}

void sh__paced_wake(sh_stage *stage)
{
    paced_of(stage)->timer = 0;
    sh__stage_push_task(stage, (struct sh__task){.kind = SH__TASK_PACE});
}

void sh__paced_resume(sh_stage *stage)
{
    struct paced *self = paced_of(stage);
    release(self, &stage->out->dispatch.base);
    sh__settle(stage);
}

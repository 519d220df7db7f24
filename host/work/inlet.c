/* SPDX-License-Identifier: MIT
 *
 * An inlet is a queue between threads and a producer that empties it. Two sides hold it: the
 * application and the stage. A push wakes the stage's worker only if the stage has been asked for
 * events that it does not have. */
#include "stagehost/inlet.h"

#include <stdatomic.h>
#include <uv.h>

#include "stagehost/host.h"

struct pushed {
    struct pushed *next;
    sh_batch batch;
};

struct sh_inlet {
    atomic_uint refs; /* the application's and the stage's */
    sh_stage *stage;  /* the application's reference */
    size_t room;

    uv_mutex_t mutex; /* guards all below */
    uv_cond_t has_room;
    struct pushed *head, *tail;
    size_t count; /* events in the queue */
    bool is_closed, has_ended, is_hungry;
    uv_async_t *wake; /* on the loop of the stage's worker; NULL: the stage is not alive */
};

/* The stage's own state. */
struct producer {
    sh_inlet *inlet;
    sh_stage *self;
    int64_t owed;
};

/* -- life ------------------------------------------------------------------------------ */

static sh_inlet *inlet_new(size_t room)
{
    sh_inlet *inlet = sh_malloc(sizeof *inlet);
    if (!inlet)
        return NULL;
    *inlet = (sh_inlet){.room = room ? room : SH_INLET_ROOM};
    atomic_init(&inlet->refs, 1);
    if (uv_mutex_init(&inlet->mutex) == 0) {
        if (uv_cond_init(&inlet->has_room) == 0)
            return inlet;
        uv_mutex_destroy(&inlet->mutex);
    }
    sh_free(inlet);
    return NULL;
}

static struct pushed *take_head(sh_inlet *inlet)
{
    struct pushed *pushed = inlet->head;
    inlet->head = pushed->next;
    if (!inlet->head)
        inlet->tail = NULL;
    return pushed;
}

static void drop_queue(sh_inlet *inlet)
{
    while (inlet->head) {
        struct pushed *pushed = take_head(inlet);
        sh_batch_unref(pushed->batch);
        sh_free(pushed);
    }
}

static void inlet_unref(sh_inlet *inlet)
{
    if (atomic_fetch_sub(&inlet->refs, 1) > 1)
        return;
    drop_queue(inlet);
    uv_cond_destroy(&inlet->has_room);
    uv_mutex_destroy(&inlet->mutex);
    sh_free(inlet);
}

/* -- the stage ------------------------------------------------------------------------- */

/* Takes up to `most` events of the first push from the queue. */
static sh_batch take_events(sh_inlet *inlet, int64_t most)
{
    struct pushed *first = inlet->head;
    sh_batch batch = first->batch;
    if (batch.n > most) {
        batch = sh_batch_slice(first->batch, 0, (uint32_t)most);
        sh_batch rest =
            sh_batch_slice(first->batch, (uint32_t)most, first->batch.n - (uint32_t)most);
        sh_batch_unref(first->batch);
        first->batch = rest;
    } else {
        sh_free(take_head(inlet));
    }
    inlet->count -= batch.n;
    return batch;
}

static int nudge(struct producer *producer)
{
    sh_value nothing = {.type = SH_NIL};
    sh_batch message;
    int status = sh_batch_from_values(&nothing, 1, &message);
    return status < 0 ? status
                      : sh_stage_cast(sh_stage_worker(producer->self), producer->self,
                                      message, NULL);
}

/* Emits events of one push; a cast asks for the next push if demand is left. */
static int emit(struct producer *producer, sh_result *r)
{
    sh_inlet *inlet = producer->inlet;
    uv_mutex_lock(&inlet->mutex);
    if (producer->owed > 0 && inlet->head) {
        r->events = take_events(inlet, producer->owed);
        producer->owed -= r->events.n;
        uv_cond_broadcast(&inlet->has_room);
    }
    bool has_more = inlet->head != NULL;
    inlet->is_hungry = producer->owed > 0 && !has_more;
    r->stop = inlet->is_closed && !has_more;
    uv_mutex_unlock(&inlet->mutex);
    if (has_more && producer->owed > 0 && nudge(producer) < 0)
        return SH_EFAILED;
    return SH_DONE;
}

static void on_wake(uv_async_t *handle)
{
    nudge(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle);
}

static int init(sh_stage *self, void *state, void *arg, sh_result *r)
{
    struct producer *producer = state;
    (void)r;
    *producer = (struct producer){.inlet = arg, .self = self};
    uv_async_t *wake = sh_malloc(sizeof *wake);
    if (!wake)
        return SH_EFAILED;
    if (uv_async_init((uv_loop_t *)sh_worker_loop(sh_stage_worker(self)), wake, on_wake) <
        0) {
        sh_free(wake);
        return SH_EFAILED;
    }
    wake->data = producer;
    uv_unref((uv_handle_t *)wake);
    uv_mutex_lock(&producer->inlet->mutex);
    producer->inlet->wake = wake;
    uv_mutex_unlock(&producer->inlet->mutex);
    return SH_DONE;
}

static int handle_demand(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    struct producer *producer = state;
    (void)self;
    producer->owed = producer->owed > INT64_MAX - n ? INT64_MAX : producer->owed + n;
    return emit(producer, r);
}

static int handle_cast(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)self;
    (void)message;
    return emit(state, r);
}

static int terminate(sh_stage *self, void *state, sh_error *reason, sh_result *r)
{
    sh_inlet *inlet = ((struct producer *)state)->inlet;
    (void)reason;
    (void)r;
    uv_mutex_lock(&inlet->mutex);
    size_t n = inlet->count;
    uv_mutex_unlock(&inlet->mutex);
    if (n > 0)
        sh_stage_leave_behind(self, n);
    return SH_DONE;
}

/* Wakes the threads that wait for room, since there will be none. */
static void destroy(sh_stage *self, void *state, void *arg)
{
    sh_inlet *inlet = arg ? arg : ((struct producer *)state)->inlet;
    (void)self;
    uv_mutex_lock(&inlet->mutex);
    uv_async_t *wake = inlet->wake;
    inlet->wake = NULL;
    inlet->has_ended = true;
    uv_cond_broadcast(&inlet->has_room);
    uv_mutex_unlock(&inlet->mutex);
    if (wake)
        uv_close((uv_handle_t *)wake, on_closed);
    inlet_unref(inlet);
}

static const sh_stage_ops producer_ops = {.size = sizeof(struct producer),
                                          .init = init,
                                          .handle_demand = handle_demand,
                                          .handle_cast = handle_cast,
                                          .terminate = terminate,
                                          .destroy = destroy};

int sh_inlet_start(sh_worker *worker, const sh_stage_opts *opts, size_t room,
                   sh_inlet **out, sh_error **error)
{
    sh_inlet *inlet = inlet_new(room);
    if (!inlet)
        return SH_ENOMEM;
    sh_stage_opts full = opts ? *opts : (sh_stage_opts){.kind = SH_PRODUCER};
    full.kind = SH_PRODUCER;
    full.ops = &producer_ops;
    full.arg = inlet;
    atomic_fetch_add(&inlet->refs, 1);
    int status = sh_stage_start(worker, &full, (sh_from){0}, &inlet->stage, error);
    if (status < 0) {
        inlet_unref(inlet);
        return status;
    }
    *out = inlet;
    return SH_OK;
}

sh_stage *sh_inlet_stage(const sh_inlet *inlet)
{
    return inlet->stage;
}

/* -- pushing --------------------------------------------------------------------------- */

/* Adds a push to the end of the queue. Under the lock. */
static void append(sh_inlet *inlet, struct pushed *pushed)
{
    if (inlet->tail)
        inlet->tail->next = pushed;
    else
        inlet->head = pushed;
    inlet->tail = pushed;
    inlet->count += pushed->batch.n;
    if (inlet->is_hungry && inlet->wake)
        uv_async_send(inlet->wake);
    inlet->is_hungry = false;
}

static size_t room_left(const sh_inlet *inlet)
{
    return inlet->count < inlet->room ? inlet->room - inlet->count : 0;
}

/* Under the lock. */
static int64_t push(sh_inlet *inlet, const sh_value *values, size_t n)
{
    if (inlet->is_closed || inlet->has_ended)
        return SH_ESTATE;
    size_t taken = n < room_left(inlet) ? n : room_left(inlet);
    if (taken == 0)
        return 0;
    struct pushed *pushed = sh_malloc(sizeof *pushed);
    if (!pushed)
        return SH_ENOMEM;
    *pushed = (struct pushed){0};
    int status = sh_batch_from_values(values, taken, &pushed->batch);
    if (status < 0) {
        sh_free(pushed);
        return status;
    }
    append(inlet, pushed);
    return (int64_t)taken;
}

int64_t sh_inlet_push(sh_inlet *inlet, const sh_value *values, size_t n)
{
    uv_mutex_lock(&inlet->mutex);
    int64_t taken = push(inlet, values, n);
    uv_mutex_unlock(&inlet->mutex);
    return taken;
}

/* Waits until there is room, or never will be. False: time is up. Under the lock. */
static bool wait_for_room(sh_inlet *inlet, uint64_t until)
{
    while (room_left(inlet) == 0 && !inlet->is_closed && !inlet->has_ended) {
        uint64_t now = uv_hrtime();
        if (until == 0)
            uv_cond_wait(&inlet->has_room, &inlet->mutex);
        else if (now >= until ||
                 uv_cond_timedwait(&inlet->has_room, &inlet->mutex, until - now) < 0)
            return false;
    }
    return true;
}

int64_t sh_inlet_push_all(sh_inlet *inlet, const sh_value *values, size_t n,
                          uint64_t timeout_ms)
{
    uint64_t until = timeout_ms > 0 ? uv_hrtime() + timeout_ms * 1000000 : 0;
    size_t done = 0;
    int64_t taken = 0;
    uv_mutex_lock(&inlet->mutex);
    while (done < n && (taken = push(inlet, values + done, n - done)) >= 0) {
        done += (size_t)taken;
        if (done < n && !wait_for_room(inlet, until))
            break;
    }
    uv_mutex_unlock(&inlet->mutex);
    return done > 0 ? (int64_t)done : taken;
}

void sh_inlet_close(sh_inlet *inlet)
{
    uv_mutex_lock(&inlet->mutex);
    inlet->is_closed = true;
    if (inlet->wake)
        uv_async_send(inlet->wake);
    uv_cond_broadcast(&inlet->has_room);
    uv_mutex_unlock(&inlet->mutex);
}

size_t sh_inlet_count(const sh_inlet *inlet)
{
    sh_inlet *self = (sh_inlet *)inlet;
    uv_mutex_lock(&self->mutex);
    size_t n = self->count;
    uv_mutex_unlock(&self->mutex);
    return n;
}

void sh_inlet_free(sh_inlet *inlet)
{
    if (!inlet)
        return;
    sh_inlet_close(inlet);
    sh_stage_unref(inlet->stage);
    inlet_unref(inlet);
}

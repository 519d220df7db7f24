/* SPDX-License-Identifier: MIT
 *
 * A host with a virtual clock: its timers ring without anybody waiting, in the order of their
 * times; requests of libuv hold it; a host in which nothing can run any more says so. */
#include <stagehost.h>
#include <string.h>
#include <uv.h>

#include "test.h"

static char seen[64];
static uint64_t began; /* by the host's clock */
static uint64_t ended;

static uint64_t now(sh_stage *self)
{
    return sh_host_now(sh_worker_host(sh_stage_worker(self)));
}

static sh_batch number(int64_t n)
{
    sh_batch batch = {0};
    CHECK_INT(
        sh_batch_from_values(&(sh_value){.type = SH_INTEGER, .u.integer = n}, 1, &batch),
        SH_OK);
    return batch;
}

static int set_three(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)state, (void)arg, (void)r;
    uint64_t id;
    began = now(self);
    CHECK_INT(sh_timer_start(self, 3600000, 0, number(3), &id), SH_OK);
    CHECK_INT(sh_timer_start(self, 5, 0, number(1), &id), SH_OK);
    CHECK_INT(sh_timer_start(self, 1000, 1000, number(2), &id), SH_OK);
    return SH_DONE;
}

static int note_and_stop_at_three(sh_stage *self, void *state, sh_batch message,
                                  sh_result *r)
{
    (void)state;
    int64_t n = sh_batch_values(message)->u.integer;
    size_t len = strlen(seen);
    if (n != 2 || len < 3)
        seen[len] = (char)('0' + n);
    ended = now(self);
    r->stop = n == 3;
    return SH_DONE;
}

static const sh_stage_ops timed_ops = {.init = set_three,
                                       .handle_info = note_and_stop_at_three};

static sh_host *host_new(const sh_host_opts *opts)
{
    sh_host *host = NULL;
    CHECK_INT(sh_host_new(opts, &host), SH_OK);
    memset(seen, 0, sizeof seen);
    return host;
}

static sh_stage *start(sh_host *host, const sh_stage_ops *ops)
{
    sh_stage *stage = NULL;
    CHECK_INT(sh_stage_start(sh_host_worker0(host),
                             &(sh_stage_opts){.kind = SH_PROCESS, .ops = ops}, (sh_from){0},
                             &stage, NULL),
              SH_OK);
    return stage;
}

static void test_timers_leap(void)
{
    sh_host *host = host_new(&(sh_host_opts){.virtual_clock = true, .workers = 8});
    CHECK_INT(sh_host_workers(host), 1);
    uint64_t before = uv_hrtime();
    sh_stage_unref(start(host, &timed_ops));
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_TEXT(seen, "1223");
    CHECK_INT((int64_t)(ended - began), 3600000 * INT64_C(1000000));
    CHECK(uv_hrtime() - before < UINT64_C(60000000000));
    sh_host_free(host);
}

/* -- a request in flight --------------------------------------------------------------- */

static bool is_done;

static void work(uv_work_t *request)
{
    (void)request;
    uv_sleep(20);
}

static void after_work(uv_work_t *request, int status)
{
    (void)request, (void)status;
    is_done = true;
}

static int set_one(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)state, (void)r;
    uint64_t id;
    CHECK_INT(sh_timer_start(self, 1, 0, number(3), &id), SH_OK);
    CHECK_INT(uv_queue_work(sh_worker_loop(sh_stage_worker(self)), arg, work, after_work),
              0);
    return SH_DONE;
}

static int stop_after_work(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)self, (void)state, (void)message;
    CHECK(is_done);
    r->stop = true;
    return SH_DONE;
}

static void test_requests_hold_the_clock(void)
{
    static const sh_stage_ops ops = {.init = set_one, .handle_info = stop_after_work};
    static uv_work_t request;
    sh_host *host = host_new(&(sh_host_opts){.virtual_clock = true});
    CHECK_INT(
        sh_stage_start(sh_host_worker0(host),
                       &(sh_stage_opts){.kind = SH_PROCESS, .ops = &ops, .arg = &request},
                       (sh_from){0}, NULL, NULL),
        SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK(is_done);
    sh_host_free(host);
}

/* -- a stall --------------------------------------------------------------------------- */

struct stalled {
    sh_host *host;
    int times;
};

static void on_stall(void *data)
{
    struct stalled *stalled = data;
    if (++stalled->times == 2)
        sh_host_stop(stalled->host);
    else
        CHECK_INT(sh_host_drain(stalled->host, 0), SH_OK);
}

static int wait_for_ever(sh_stage *self, void *state, void *arg, sh_result *r)
{
    (void)self, (void)state, (void)arg, (void)r;
    return SH_WAIT;
}

static void test_stall(void)
{
    static const sh_stage_ops ops = {.init = wait_for_ever};
    struct stalled stalled = {0};
    sh_host *host = host_new(&(sh_host_opts){
        .virtual_clock = true, .on_stall = on_stall, .stall_data = &stalled});
    stalled.host = host;
    sh_stage_unref(start(host, &ops));
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_INT(stalled.times, 2);
    sh_host_free(host);
}

int main(void)
{
    test_timers_leap();
    test_requests_hold_the_clock();
    test_stall();
    return test_end();
}

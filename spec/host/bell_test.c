/* SPDX-License-Identifier: MIT
 *
 * A bell wakes a loop that waits; it never blocks the thread that rings, however often. */
#include "stage/bell.h"

#include <stdatomic.h>

#include "test.h"

enum { RINGS = 200000 };

static struct sh__bell bell;
static atomic_int n_heard;

static void on_ring(uv_poll_t *poll, int status, int events)
{
    CHECK_INT(status, 0);
    CHECK(events & UV_READABLE);
    sh__bell_hush(&bell);
    if (atomic_fetch_add(&n_heard, 1) > 0)
        uv_stop(poll->loop);
}

/* Rings often while nobody listens, then once more when all that was heard. */
static void ring(void *arg)
{
    (void)arg;
    while (atomic_load(&n_heard) == 0)
        uv_sleep(1);
    sh__bell_ring(&bell);
}

int main(void)
{
    uv_loop_t loop;
    uv_thread_t thread;
    uv_loop_init(&loop);
    CHECK_INT(sh__bell_init(&bell, &loop, on_ring), 0);
    for (int i = 0; i < RINGS; i++)
        sh__bell_ring(&bell);
    uv_thread_create(&thread, ring, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&thread);
    CHECK_INT(atomic_load(&n_heard), 2);
    uv_run(&loop, UV_RUN_NOWAIT); /* all rings have been heard */
    CHECK_INT(atomic_load(&n_heard), 2);
    uv_close((uv_handle_t *)&bell.poll, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    sh__bell_fini(&bell);
    CHECK_INT(uv_loop_close(&loop), 0);
    return test_end();
}

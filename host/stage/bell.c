/* SPDX-License-Identifier: MIT */
#include "stage/bell.h"

#include <errno.h>
#include <unistd.h>

int sh__bell_init(struct sh__bell *bell, uv_loop_t *loop, uv_poll_cb on_ring)
{
    int status = uv_pipe(bell->fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
    if (status < 0)
        return status;
    status = uv_poll_init(loop, &bell->poll, bell->fds[0]);
    if (status == 0)
        uv_poll_start(&bell->poll, UV_READABLE, on_ring);
    else
        sh__bell_fini(bell);
    return status;
}

/* A pipe that is full has been rung. */
void sh__bell_ring(const struct sh__bell *bell)
{
    while (write(bell->fds[1], "", 1) < 0 && errno == EINTR)
        continue;
}

void sh__bell_hush(const struct sh__bell *bell)
{
    char rings[256];
    ssize_t n;
    do {
        n = read(bell->fds[0], rings, sizeof rings);
    } while (n == sizeof rings || (n < 0 && errno == EINTR));
}

void sh__bell_fini(const struct sh__bell *bell)
{
    close(bell->fds[0]);
    close(bell->fds[1]);
}

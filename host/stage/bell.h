/* SPDX-License-Identifier: MIT
 *
 * Wakes the loop of another thread. This is a pipe and not a uv_async_t, whose receiver, when it
 * runs before the sender has returned from its system call, waits for the sender in a loop: on one
 * processor that takes longer than all the rest of a message's way. */
#ifndef SH_BELL_H
#define SH_BELL_H

#include <uv.h>

struct sh__bell {
    uv_poll_t poll; /* the handle that keeps the loop running; its `data` is the owner's */
    uv_file fds[2]; /* to listen, to ring */
};

/* Makes a bell in `loop`; `on_ring` is called there, and has to call sh__bell_hush. A negative
 * errno of libuv: nothing to close. */
int sh__bell_init(struct sh__bell *bell, uv_loop_t *loop, uv_poll_cb on_ring);
/* Makes the loop call on_ring, once for any number of rings. Any thread. */
void sh__bell_ring(const struct sh__bell *bell);
/* Takes back the rings so far. */
void sh__bell_hush(const struct sh__bell *bell);
/* Frees the bell when its handle, which its owner has closed, is closed. */
void sh__bell_fini(const struct sh__bell *bell);

#endif

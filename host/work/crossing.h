/* SPDX-License-Identifier: MIT
 *
 * A worker's input from other threads: the messages in its inbox, and orders. */
#ifndef SH_CROSSING_H
#define SH_CROSSING_H

#include "stage/worker_state.h"

/* Bits of sh_worker.orders. */
enum {
    SH__ORDER_QUIT = 1,     /* no stage is left: leave the loop         */
    SH__ORDER_DRAIN = 2,    /* send DRAIN to every stage                */
    SH__ORDER_SHUTDOWN = 4, /* the pipeline has drained: end processes  */
    SH__ORDER_KILL = 8,     /* end every stage at once                  */
    SH__ORDER_DUMP = 16,    /* log one line for every stage             */
    SH__ORDER_FAILURE = 32, /* call opts.on_failure                     */
    SH__ORDER_LIMIT = 64,   /* a drain has been asked for: watch its limits */
};

/* Sets order bits and wakes the worker; any thread. */
void sh__worker_order(sh_worker *worker, uint32_t orders);
/* Takes the messages from other workers, as a list. */
struct sh__message *sh__worker_take_inbox(sh_worker *worker);
/* Whether there are messages; exact, while has_inbox is a hint. */
bool sh__worker_has_mail(sh_worker *worker);
/* Delivers the messages to their stages. Returns whether there were any. */
bool sh__worker_deliver_inbox(sh_worker *worker);
/* Called when the worker was woken: delivers the messages, and follows the orders. */
void sh__worker_on_ring(uv_poll_t *handle, int status, int events);

#endif

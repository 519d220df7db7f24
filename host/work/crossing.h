/* SPDX-License-Identifier: MIT
 *
 * What reaches a worker from outside: the messages in its inbox, and orders. */
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
/* Takes the messages that came from other workers, as a list. */
struct sh__message *sh__worker_take_inbox(sh_worker *worker);
/* Whether there are any: not a hint, as has_inbox is. */
bool sh__worker_has_mail(sh_worker *worker);
/* Delivers them to their stages. Returns whether there were any. */
bool sh__worker_deliver_inbox(sh_worker *worker);
/* The worker was woken: delivers them, and does what was ordered. */
void sh__worker_on_wake(uv_async_t *handle);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Messages for other workers, staged until the turn is over. */
#ifndef SH_OUTBOX_H
#define SH_OUTBOX_H

#include "stage/message.h"

/* The messages staged for one other worker. */
struct sh__outbox {
    struct sh__message *head, *tail;
};

/* Stages a message for another worker; takes it. */
void sh__worker_post(sh_worker *worker, sh_worker *target, struct sh__message *message);
/* Sends all staged messages. */
void sh__worker_flush(sh_worker *worker);

#endif

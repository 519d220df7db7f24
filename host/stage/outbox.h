/* SPDX-License-Identifier: MIT
 *
 * Messages for other workers, staged until the turn is over. Small batches of events of one
 * subscription that follow one another there become one message. */
#ifndef SH_OUTBOX_H
#define SH_OUTBOX_H

#include "stage/message.h"

/* The messages staged for one other worker. */
struct sh__outbox {
    struct sh__message *head, *tail;
    uint64_t events;  /* in the messages, and asked for by them */
    uint64_t portion; /* counts: no events are added to messages of an earlier portion */
};

/* Stages a message for another worker; takes it. */
void sh__worker_post(sh_worker *worker, sh_worker *target, struct sh__message *message);
/* Adds the events of an encoded message to those that are staged already for its subscription, and
 * frees the message. Returns false, and does nothing, if there are none or they can't be sent as
 * one. */
bool sh__worker_gather(sh_worker *worker, struct sh__message *message);
/* Sends all staged messages. */
void sh__worker_flush(sh_worker *worker);

#endif

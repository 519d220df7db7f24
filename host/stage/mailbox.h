/* SPDX-License-Identifier: MIT
 *
 * A FIFO of messages, which owns the messages in it. */
#ifndef SH_MAILBOX_H
#define SH_MAILBOX_H

#include "stage/message.h"

/* All zero is empty. */
struct sh__mailbox {
    struct sh__message *head, *tail;
    uint32_t length;
};

static inline void sh__mailbox_push(struct sh__mailbox *box, struct sh__message *message)
{
    message->next = NULL;
    if (box->tail)
        box->tail->next = message;
    else
        box->head = message;
    box->tail = message;
    box->length++;
}

/* Puts a message before all others. */
static inline void sh__mailbox_push_first(struct sh__mailbox *box,
                                          struct sh__message *message)
{
    message->next = box->head;
    box->head = message;
    if (!box->tail)
        box->tail = message;
    box->length++;
}

/* Takes out the first message; NULL: there is none. */
static inline struct sh__message *sh__mailbox_pop(struct sh__mailbox *box)
{
    struct sh__message *message = box->head;
    if (message) {
        box->head = message->next;
        if (!box->head)
            box->tail = NULL;
        box->length--;
    }
    return message;
}

/* Puts all messages of `from` before those of `box`. */
static inline void sh__mailbox_splice_front(struct sh__mailbox *box,
                                            struct sh__mailbox *from)
{
    if (!from->head)
        return;
    from->tail->next = box->head;
    box->head = from->head;
    if (!box->tail)
        box->tail = from->tail;
    box->length += from->length;
    *from = (struct sh__mailbox){0};
}

#endif

/* SPDX-License-Identifier: MIT
 *
 * Messages: all that stages say to one another. A message belongs to its queue; whoever
 * takes it out either handles it (and frees it) or refuses it, which answers what waits for
 * an answer and counts events that nobody will get. */
#ifndef SH_MESSAGE_H
#define SH_MESSAGE_H

#include "stagehost.h"

/* kind, name for logs and specs */
#define SH__MESSAGE_MAP(XX)                                                                \
    XX(START, "start")                   /* first message of every stage           */      \
    XX(SUBSCRIBE_TO, "subscribe_to")     /* anyone -> consumer: subscribe           */     \
    XX(SUBSCRIBE, "subscribe")           /* consumer -> producer                    */     \
    XX(ASK, "ask")                       /* consumer -> producer: n                 */     \
    XX(ACK, "ack")                       /* consumer -> producer: see ack.h         */     \
    XX(CANCEL_REQUEST, "cancel_request") /* consumer -> producer: error             */     \
    XX(EVENTS, "events")                 /* producer -> consumer: batch             */     \
    XX(NOTIFICATION, "notification")     /* producer -> consumer: batch             */     \
    XX(CANCEL, "cancel")                 /* producer -> consumer: error             */     \
    XX(REDIRECT, "redirect")             /* producer -> consumer: other producers */       \
    XX(PART, "part") /* anyone -> consumer: unsubscribe from one producer */               \
    XX(DOWN, "down") /* either -> either: the sender has ended  */                         \
    XX(CALL, "call")                                                                       \
    XX(CAST, "cast")                                                                       \
    XX(LETTERS, "letters")         /* handle_cast with dead letters: n        */           \
    XX(INFO, "info")               /* plain message                           */           \
    XX(QUEUED_INFO, "queued_info") /* handle_info behind what is buffered     */           \
    XX(NOTIFY, "notify")           /* tell every consumer, in order           */           \
    XX(SET_DEMAND, "set_demand")                                                           \
    XX(QUERY, "query")                                                                     \
    XX(MONITOR, "monitor")                                                                 \
    XX(STOP, "stop")                                                                       \
    XX(FINISH, "finish") /* end in order, with what is buffered   */                       \
    XX(DRAIN, "drain")   /* end in order: the host is draining      */                     \
    XX(KILL, "kill")     /* this and all below: on arrival         */                      \
    XX(REPLY, "reply")   /* handled on arrival, not in turn         */                     \
    XX(STEER, "steer")   /* anyone -> consumer: see limits.h; on arrival, not in turn */   \
    /* signals, see links.h: n is a number, from.stage the sender (no answer is wanted) */ \
    XX(LINK, "link")                                                                       \
    XX(UNLINK, "unlink")                                                                   \
    XX(UNLINKED, "unlinked")                                                               \
    XX(MONITOR_DOWN, "monitor_down")                                                       \
    XX(DEMONITOR, "demonitor")                                                             \
    XX(EXIT, "exit")                                                                       \
    XX(GONE, "gone")

enum sh__message_kind {
#define XX(name, text) SH__##name,
    SH__MESSAGE_MAP(XX)
#undef XX
};

/* What a subscribe request carries beside its message. */
struct sh__subscribe {
    sh_subscribe_opts
        opts; /* owns to (ref), to_name, partition, current (ref), reason, extra */
    struct sh__redirect *redirect; /* REDIRECT: owned */
    uint8_t hops;                  /* how often it was redirected */
};

/* A payload between workers: encoded by the sender, decoded by the receiver. */
struct sh__crossing {
    sh_parcel parcel;
    const sh_list_ops *ops;
    uint32_t n;
};

struct sh__message {
    struct sh__message *next;
    sh_stage *to;  /* a reference only while crossing workers */
    uint8_t kind;  /* enum sh__message_kind */
    uint8_t what;  /* DOWN: sh_role of the sender; SET_DEMAND, QUERY, STEER: which;
                             EXIT: SH__EXIT_* */
    bool crossing; /* sent from another worker */
    int status;    /* REPLY; ASK: events handled; ACK, DOWN: begun and not handled */
    int64_t
        n; /* ASK: events; LETTERS: how many, 0: the sender has ended; EVENTS: number of their delivery,
                             0 or 1 is the first; ACK, DOWN: events handled */
    sh_subscription *sub; /* counted, see subscription.h */
    sh_batch batch;       /* owned */
    sh_from from;         /* from.stage is a reference */
    sh_error *error;      /* owned */
    struct sh__subscribe *subscribe;
    struct sh__crossing *parcel;
};

static inline bool sh__message_is_signal(const struct sh__message *message)
{
    return message->kind >= SH__LINK;
}

/* How many events an EVENTS message carries, decoded or not. */
static inline uint64_t sh__message_events(const struct sh__message *message)
{
    return message->parcel ? message->parcel->n : message->batch.n;
}

/* A FIFO of messages. All zero is empty. */
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

static inline void sh__mailbox_push_first(struct sh__mailbox *box,
                                          struct sh__message *message)
{
    message->next = box->head;
    box->head = message;
    if (!box->tail)
        box->tail = message;
    box->length++;
}

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

/* Puts a message before all others. */
static inline void sh__mailbox_unshift(struct sh__mailbox *box, struct sh__message *message)
{
    message->next = box->head;
    box->head = message;
    if (!box->tail)
        box->tail = message;
    box->length++;
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

/* A zeroed message from the worker's free list; NULL when out of memory. */
struct sh__message *sh__message_new(sh_worker *worker, enum sh__message_kind kind,
                                    sh_stage *to);
/* Names a subscription in the message, which holds it until it is freed. */
void sh__message_name(struct sh__message *message, sh_subscription *sub);
/* Releases all that the message owns. On the worker that holds it. */
void sh__message_free(sh_worker *worker, struct sh__message *message);
/* Nobody will handle this message (its stage has ended): answers whoever waits for it,
 * tells a subscriber, counts lost events against message->to. Frees it. */
void sh__message_refuse(sh_worker *worker, struct sh__message *message);
/* Hands a message to its stage: pushed and scheduled on this worker, staged for another
 * one (then its payload is encoded). Takes it. SH_EFAILED with *error (may be NULL): the
 * payload can't cross; nothing was sent and the message was freed. */
int sh__send(sh_worker *worker, struct sh__message *message, sh_error **error);

/* Decodes the payload of a message that came from another worker. On failure message->error
 * says why, and the payload is still there, encoded. */
int sh__message_arrive(sh_worker *worker, struct sh__message *message);
/* crossing.c: the same; on failure the message is refused, its stage ends, and the result is
 * false. */
bool sh__message_unpack(sh_worker *worker, struct sh__message *message);

/* Deep copy of subscribe options with references of its own; takes what `opts` says is
 * taken. */
struct sh__subscribe *sh__subscribe_new(const sh_subscribe_opts *opts);
void sh__subscribe_free(struct sh__subscribe *subscribe);

#endif

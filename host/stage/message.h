/* SPDX-License-Identifier: MIT
 *
 * Messages: all that stages say to one another. A message belongs to its queue; whoever
 * takes it out either handles it (and frees it) or refuses it, which answers what waits for
 * an answer and counts events that nobody will get. */
#ifndef SH_MESSAGE_H
#define SH_MESSAGE_H

#include "stagehost/subscription.h"

/* clang-format off */
/* Kind, and its name for logs and specs. */
#define SH__MESSAGE_MAP(XX)                                                                \
    XX(START, "start")                   /* first message of every stage */                \
    XX(SUBSCRIBE_TO, "subscribe_to")     /* anyone -> consumer: subscribe */               \
    XX(SUBSCRIBE, "subscribe")           /* consumer -> producer */                        \
    XX(ASK, "ask")                       /* consumer -> producer: n */                     \
    XX(ACK, "ack")                       /* consumer -> producer: see produce/ack.h */     \
    XX(CANCEL_REQUEST, "cancel_request") /* consumer -> producer: error */                 \
    XX(EVENTS, "events")                 /* producer -> consumer: batch */                 \
    XX(NOTIFICATION, "notification")     /* producer -> consumer: batch */                 \
    XX(CANCEL, "cancel")                 /* producer -> consumer: error */                 \
    XX(REDIRECT, "redirect")             /* producer -> consumer: other producers */       \
    XX(PART, "part")                     /* anyone -> consumer: leave one producer */      \
    XX(CONSUMER_DOWN, "consumer_down")   /* consumer -> producer: it has ended */          \
    XX(PRODUCER_DOWN, "producer_down")   /* producer -> consumer: it has ended */          \
    XX(CALL, "call")                                                                       \
    XX(CAST, "cast")                                                                       \
    XX(LETTERS, "letters")               /* handle_cast with dead letters: n */            \
    XX(INFO, "info")                     /* plain message */                               \
    XX(QUEUED_INFO, "queued_info")       /* handle_info behind what is buffered */         \
    XX(NOTIFY, "notify")                 /* tell every consumer, in order */               \
    XX(SET_DEMAND, "set_demand")                                                           \
    XX(QUERY, "query")                                                                     \
    XX(MONITOR, "monitor")                                                                 \
    XX(STOP, "stop")                                                                       \
    XX(FINISH, "finish")                 /* end in order, behind what is held or coming */ \
    XX(DRAIN, "drain")                   /* end in order: the host is draining */          \
    /* From here on: acted on when they arrive, not in turn. */                            \
    XX(KILL, "kill")                                                                       \
    XX(REPLY, "reply")                                                                     \
    XX(STEER, "steer")                   /* anyone -> consumer: see consume/limits.h */    \
    /* Signals, see links.h: n is a number, from.stage the sender, who wants no answer. */ \
    XX(LINK, "link")                                                                       \
    XX(UNLINK, "unlink")                                                                   \
    XX(UNLINKED, "unlinked")                                                               \
    XX(MONITOR_DOWN, "monitor_down")                                                       \
    XX(DEMONITOR, "demonitor")                                                             \
    XX(EXIT, "exit")                                                                       \
    XX(GONE, "gone")
/* clang-format on */

enum sh__message_kind {
#define XX(name, text) SH__##name,
    SH__MESSAGE_MAP(XX)
#undef XX
};

/* What a subscribe request carries beside its message. */
struct sh__subscribe {
    /* Owns to (a reference), to_name, partition, current (a reference), current_reason, selector
     * and extra. */
    sh_subscribe_opts opts;
    struct sh__redirect *redirect; /* REDIRECT: owned */
    uint8_t hops;                  /* how often it was redirected */
};

/* A payload between workers: encoded by the sender, decoded by the receiver. */
struct sh__crossing {
    sh_parcel parcel;
    const sh_list_ops *ops;
    uint32_t n;
};

/* What `what`, `status` and `n` say depends on the kind:
 *
 *   what    SET_DEMAND, QUERY, STEER: which one. ACK: whether it is the last. EVENTS: whether they
 *           have been received already. EXIT: SH__EXIT_*.
 *           NOTIFICATION: SH__ASIDE, whether its subscription may have ended before.
 *   status  REPLY: the result. ASK: events handled. ACK, CONSUMER_DOWN: events begun and not
 *           handled.
 *   n       ASK: events. EVENTS: the number of their delivery, 0 or 1 is the first. ACK,
 *           CONSUMER_DOWN: events handled. LETTERS: how many; 0: the sender has ended. REPLY: the
 *           asker's number. Signals: a number. */
struct sh__message {
    struct sh__message *next;
    sh_stage *to; /* a reference only while crossing workers */
    uint8_t kind; /* enum sh__message_kind */
    uint8_t what;
    bool crossing; /* sent from another worker */
    bool declines; /* CONSUMER_DOWN: by its own will; it wants nothing of what is left */
    bool ends_producer; /* CONSUMER_DOWN: see sh_stage_end_producers */
    int status;
    int64_t n;
    sh_subscription *sub; /* counted, see subscription.h */
    sh_batch batch;       /* owned */
    sh_from from;         /* from.stage is a reference */
    sh_error *error;      /* owned */
    struct sh__subscribe *subscribe;
    struct sh__crossing *parcel;
};

enum { SH__ASIDE = 1 };

static inline bool sh__message_is_signal(const struct sh__message *message)
{
    return message->kind >= SH__LINK;
}

/* How many events an EVENTS message carries, decoded or not. */
static inline uint64_t sh__message_events(const struct sh__message *message)
{
    return message->parcel ? message->parcel->n : message->batch.n;
}

/* A zeroed message from the worker's free list; NULL when out of memory. */
struct sh__message *sh__message_new(sh_worker *worker, enum sh__message_kind kind,
                                    sh_stage *to);
/* Names a subscription in the message, which holds it until it is freed. */
void sh__message_name(struct sh__message *message, sh_subscription *sub);
/* Releases all that the message owns. On the worker that holds it. */
void sh__message_free(sh_worker *worker, struct sh__message *message);
/* Hands a message to its stage: delivered on this worker, staged for another one (then its
 * payload is encoded). Takes it. SH_EFAILED with *error (may be NULL): the payload can't cross;
 * nothing was sent and the message was freed. */
int sh__send(sh_worker *worker, struct sh__message *message, sh_error **error);
/* Decodes the payload of a message that came from another worker. On failure message->error
 * says why, and the payload is still there, encoded. */
int sh__message_arrive(sh_worker *worker, struct sh__message *message);

/* Deep copy of subscribe options with references of its own; takes what `opts` says is taken.
 * NULL when out of memory. */
struct sh__subscribe *sh__subscribe_new(const sh_subscribe_opts *opts);
void sh__subscribe_free(struct sh__subscribe *subscribe);

#endif

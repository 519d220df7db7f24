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
    /* Signals, see links.h: from.stage is the sender, who wants no answer. */ \
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

/* What STEER tells a subscription, see consume/limits.h. */
enum sh__steer { SH__STEER_PAUSE, SH__STEER_RESUME, SH__STEER_UNSUBSCRIBE };

struct sh__message {
    struct sh__message *next;
    sh_stage *to;  /* a reference only while crossing workers */
    uint8_t kind;  /* enum sh__message_kind */
    bool crossing; /* sent from another worker */
    /* What only one kind carries, or a few. All of it is zero in a new message. */
    union {
        uint64_t blank[2];
        struct sh__subscribe *subscribe; /* see sh__message_subscribes: owned */
        struct {
            int64_t n;
            uint32_t handled; /* events, see produce/ack.h */
        } ask;
        struct {
            int64_t delivery; /* its number: 0 or 1 is the first */
            bool is_received; /* counted already, and held back by limits */
        } events;
        struct {
            bool is_aside; /* its subscription may have ended before */
        } notification;
        struct { /* numbers of events; `begun`: given to a callback, and not handled */
            uint32_t handled, begun;
            bool is_last; /* of this subscription */
        } ack;
        struct {
            uint32_t handled, begun; /* as in `ack` */
            bool declines; /* it ended by its own will, and wants nothing of what is left */
            bool ends_producer; /* see sh_stage_end_producers */
        } consumer_down;
        struct {
            int64_t n; /* events in them; 0: the sender has ended */
        } letters;
        struct {
            sh_demand_mode mode;
        } set_demand;
        struct {
            sh_query what;
        } query;
        struct {
            uint64_t ref; /* the asker's number */
            int status;
        } reply;
        struct {
            enum sh__steer what;
        } steer;
        struct {
            uint8_t what; /* SH__EXIT_*, see links.h */
        } exit;
        struct { /* UNLINK, UNLINKED: of the unlink. Others: of the monitor */
            uint64_t number;
        } signal;
    };
    sh_subscription *sub; /* counted, see subscription.h */
    sh_batch batch;       /* owned */
    sh_from from;         /* from.stage is a reference */
    sh_error *error;      /* owned */
    struct sh__crossing *parcel;
};

/* Whether the message has `subscribe`. */
static inline bool sh__message_subscribes(const struct sh__message *message)
{
    return message->kind == SH__SUBSCRIBE_TO || message->kind == SH__SUBSCRIBE ||
           message->kind == SH__REDIRECT || message->kind == SH__PART;
}

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

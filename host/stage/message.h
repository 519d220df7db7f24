/* SPDX-License-Identifier: MIT
 *
 * Messages: everything that stages say to one another. A message belongs to its queue; the code
 * that takes it out either handles it (and frees it) or refuses it, which answers a stage that
 * waits for an answer and counts lost events. */
#ifndef SH_MESSAGE_H
#define SH_MESSAGE_H

#include "stagehost/subscription.h"

/* clang-format off */
/* Which part of a stage takes a message. Messages from AT_ONCE on are acted on when they arrive,
 * the others in their turn. The functions are in life/receive.c and stage/deliver.c. */
#define SH__ROUTE_MAP(XX)                                                                      \
    XX(ORDER)    /* an instruction to the stage itself */                                      \
    XX(PRODUCER) /* consumer -> producer: names the subscription */                            \
    XX(CONSUMER) /* producer -> consumer: names the subscription */                            \
    XX(CALLBACK) /* for a callback */                                                          \
    XX(AT_ONCE)                                                                                \
    XX(SIGNAL)   /* see links.h: from.stage is the sender, which gets no answer */

/* Kind and route. */
#define SH__MESSAGE_MAP(XX)                                                                    \
    XX(START, ORDER)                              /* first message of every stage */           \
    XX(SUBSCRIBE_TO, ORDER)                       /* a consumer subscribes */                  \
    XX(PART, ORDER)                               /* a consumer leaves one producer */         \
    XX(NOTIFY, ORDER)                             /* tell every consumer, in order */          \
    XX(SET_DEMAND, ORDER)                                                                      \
    XX(QUERY, ORDER)                                                                           \
    XX(MONITOR, ORDER)                                                                         \
    XX(STOP, ORDER)                                                                            \
    XX(FINISH, ORDER)                             /* end gracefully, after held events */      \
    XX(DRAIN, ORDER)                              /* end gracefully: the host drains */        \
    XX(SUBSCRIBE, PRODUCER)                                                                    \
    XX(ASK, PRODUCER)                                                                          \
    XX(ACK, PRODUCER)                             /* see produce/ack.h */                      \
    XX(CANCEL_REQUEST, PRODUCER)                                                               \
    XX(CONSUMER_DOWN, PRODUCER)                   /* the consumer has ended */                 \
    XX(EVENTS, CONSUMER)                                                                       \
    XX(NOTIFICATION, CONSUMER)                                                                 \
    XX(CANCEL, CONSUMER)                                                                       \
    XX(REDIRECT, CONSUMER)                        /* to other producers */                     \
    XX(PRODUCER_DOWN, CONSUMER)                   /* the producer has ended */                 \
    XX(CALL, CALLBACK)                                                                         \
    XX(CAST, CALLBACK)                                                                         \
    XX(LETTERS, CALLBACK)                         /* handle_cast with dead letters */          \
    XX(INFO, CALLBACK)                            /* handle_info */                            \
    XX(QUEUED_INFO, CALLBACK)                     /* handle_info after buffered events */      \
    XX(KILL, AT_ONCE)                                                                          \
    XX(REPLY, AT_ONCE)                                                                         \
    XX(STEER, AT_ONCE)                            /* see consume/limits.h */                   \
    XX(LINK, SIGNAL)                                                                           \
    XX(UNLINK, SIGNAL)                                                                         \
    XX(UNLINKED, SIGNAL)                                                                       \
    XX(MONITOR_DOWN, SIGNAL)                                                                   \
    XX(DEMONITOR, SIGNAL)                                                                      \
    XX(EXIT, SIGNAL)                                                                           \
    XX(GONE, SIGNAL)
/* clang-format on */

enum sh__route {
#define XX(name) SH__ROUTE_##name,
    SH__ROUTE_MAP(XX)
#undef XX
};

enum sh__message_kind {
#define XX(kind, route) SH__##kind,
    SH__MESSAGE_MAP(XX)
#undef XX
};

/* By kind: enum sh__route. */
extern const uint8_t sh__message_routes[];

/* The data of a subscribe request besides its message. */
struct sh__subscribe {
    /* Owns to (a reference), to_name, partition, current (a reference), current_reason, selector
     * and extra. */
    sh_subscribe_opts opts;
    struct sh__redirect *redirect; /* REDIRECT: owned */
    uint8_t hops;                  /* times it was redirected */
};

/* A payload between workers: encoded by the sender, decoded by the receiver. */
struct sh__crossing {
    sh_parcel parcel;
    const sh_list_ops *ops;
    uint32_t n;
    struct sh__crossing *next; /* EVENTS: more of the same message, with the same ops */
};

/* The instruction in STEER, see consume/limits.h. */
enum sh__steer { SH__STEER_PAUSE, SH__STEER_RESUME, SH__STEER_UNSUBSCRIBE };

struct sh__message {
    struct sh__message *next;
    sh_stage *to;  /* a reference only while crossing workers */
    uint8_t kind;  /* enum sh__message_kind */
    bool crossing; /* sent from another worker */
    /* Fields of only one kind, or a few. All are zero in a new message. */
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
            bool is_aside; /* the subscription may have ended before */
        } notification;
        struct { /* numbers of events; `begun`: given to a callback, and not handled */
            uint32_t handled, begun;
            bool is_last; /* of this subscription */
        } ack;
        struct {
            uint32_t handled, begun; /* as in `ack` */
            bool declines; /* it ended by its own will, and wants none of the events left */
            bool ends_producer; /* see sh_stage_end_producers */
        } consumer_down;
        struct {
            int64_t n; /* number of events; 0: the sender has ended */
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

static inline enum sh__route sh__message_route(const struct sh__message *message)
{
    return (enum sh__route)sh__message_routes[message->kind];
}

/* How many events an EVENTS message carries, decoded or not. */
static inline uint64_t sh__message_events(const struct sh__message *message)
{
    uint64_t n = message->batch.n;
    for (const struct sh__crossing *one = message->parcel; one; one = one->next)
        n += one->n;
    return n;
}

/* A zeroed message from the worker's free list; NULL when out of memory. */
struct sh__message *sh__message_new(sh_worker *worker, enum sh__message_kind kind,
                                    sh_stage *to);
/* A message from one side of a subscription to the other, PRODUCER or CONSUMER by the route of its
 * kind; the message names the subscription. NULL when out of memory: the stage is then killed, as
 * it could not keep its promises any more. On the stage's worker. */
struct sh__message *sh__message_to(sh_stage *stage, sh_subscription *sub,
                                   enum sh__message_kind kind);
/* Names a subscription in the message, which holds it until it is freed. */
void sh__message_name(struct sh__message *message, sh_subscription *sub);
/* Frees the message with everything it owns. On the worker that holds it. */
void sh__message_free(sh_worker *worker, struct sh__message *message);
/* Hands a message to its stage: delivered on this worker, staged for another one (then its
 * payload is encoded). Takes it. SH_EFAILED with *error (may be NULL): the payload can't cross;
 * nothing was sent and the message was freed. */
int sh__send(sh_worker *worker, struct sh__message *message, sh_error **error);
/* Decodes the payload of a message that came from another worker. On failure message->error
 * says why, and the payload is still there, encoded. */
int sh__message_arrive(sh_worker *worker, struct sh__message *message);

/* Deep copy of subscribe options with references of its own; takes the members that are documented
 * as taken. NULL when out of memory. */
struct sh__subscribe *sh__subscribe_new(const sh_subscribe_opts *opts);
void sh__subscribe_free(struct sh__subscribe *subscribe);

#endif

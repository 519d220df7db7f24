/* SPDX-License-Identifier: MIT
 *
 * Stages: their callbacks and options, how they are started, linked and ended, their messages
 * and their counters. */
#ifndef STAGEHOST_STAGE_H
#define STAGEHOST_STAGE_H

#include "stagehost/combine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- words ----------------------------------------------------------------------------- */

/* Values and the words that scripts and logs have for them. */
/* clang-format off */
#define SH_KIND_MAP(XX)                                                                    \
    XX(PRODUCER, "producer")                                                               \
    XX(PRODUCER_CONSUMER, "producer_consumer")                                             \
    XX(CONSUMER, "consumer")                                                               \
    XX(PROCESS, "process")
#define SH_DEMAND_MODE_MAP(XX)                                                             \
    XX(FORWARD, "forward")                                                                 \
    XX(ACCUMULATE, "accumulate")
#define SH_CANCEL_MAP(XX)                                                                  \
    XX(PERMANENT, "permanent")                                                             \
    XX(TRANSIENT, "transient")                                                             \
    XX(TEMPORARY, "temporary")
#define SH_KEEP_MAP(XX) /* by a buffer that is full */                                     \
    XX(LAST, "last")                                                                       \
    XX(FIRST, "first")
/* What happens when handle_events fails. The changes that the callback made to its state stay;
 * its batch counts as handled (it is paid off, and acknowledged) unless the stage stops. */
#define SH_ON_ERROR_MAP(XX)                                                                \
    XX(STOP, "stop")   /* the stage ends with the error as its reason          */          \
    XX(SKIP, "skip")   /* the batch is dropped, counted as skipped, and logged */          \
    XX(RETRY, "retry") /* the same batch is tried again, then `after` applies  */          \
    XX(DEAD_LETTER, "dead_letter") /* its events go to the dead-letter stage, one each */
/* clang-format on */

#define XX(name, word) SH_##name,
typedef enum sh_kind { SH_KIND_MAP(XX) } sh_kind;
#undef XX
#define XX(name, word) SH_DEMAND_##name,
typedef enum sh_demand_mode { SH_DEMAND_MODE_MAP(XX) } sh_demand_mode;
#undef XX
/* SH_CANCEL_DEFAULT: permanent; of a stage with handle_end: transient. */
#define XX(name, word) SH_CANCEL_##name,
typedef enum sh_cancel { SH_CANCEL_DEFAULT, SH_CANCEL_MAP(XX) } sh_cancel;
#undef XX
#define XX(name, word) SH_KEEP_##name,
typedef enum sh_keep { SH_KEEP_MAP(XX) } sh_keep;
#undef XX
#define XX(name, word) SH_ON_ERROR_##name,
typedef enum sh_on_error { SH_ON_ERROR_MAP(XX) } sh_on_error;
#undef XX

typedef enum sh_mode { SH_AUTOMATIC, SH_MANUAL, SH_REDIRECT } sh_mode;
typedef enum sh_role { SH_ROLE_PRODUCER, SH_ROLE_CONSUMER } sh_role; /* of the other side */
typedef enum sh_ended { SH_ENDED_CANCEL, SH_ENDED_DOWN } sh_ended;

/* Where an answer goes: to the handle_reply of `stage`, with `ref`. All zero: no answer. */
typedef struct sh_from {
    sh_stage *stage;
    uint64_t ref; /* chosen by `stage`, and unique there */
} sh_from;

/* -- callbacks ------------------------------------------------------------------------- */

/* The result of a callback. All zero means "no result". The core takes all of it. */
/* clang-format off */
typedef struct sh_result {
    sh_batch events;  /* producers: emit these (owned)                   */
    sh_batch reply;   /* handle_call: the answer (owned), with has_reply */
    bool has_reply;
    bool stop;        /* end the stage, after `events` and `reply`       */
    bool ignore;      /* init only: do not start; that is no error       */
    bool are_last;    /* handle_events, set by the core: it will not ask its list for these events
                         again; if the list has no other reference they may be moved out      */
    sh_mode mode;     /* handle_subscribe                                */
    sh_error *reason; /* with stop or SH_EFAILED (owned)                 */
} sh_result;
/* clang-format on */

/* Where a redirected consumer is to subscribe instead: a stage or, if that is NULL, a name. */
typedef struct sh_target {
    sh_stage *stage;
    const char *name;
} sh_target;
/* For handle_subscribe of a producer: subscribes the consumer to all of `targets`, with the options
 * it gave (but `cancel` instead of its own, if not NULL), before it is cancelled here with the
 * reason "redirected". So it always has a producer, unless n is 0, and no cancel mode ends it; a
 * missing target is reported as for a subscription. Sets r->mode; copies everything.
 * SH_ENOMEM: *r is unchanged. */
int sh_result_redirect(sh_result *r, const sh_target *targets, size_t n,
                       const sh_cancel *cancel);

/* A callback returns SH_DONE with *r filled; SH_WAIT if sh_stage_complete() will complete it
 * later (the stage takes no other message until then); or SH_EFAILED with r->reason, and the
 * stage ends with that reason. */
enum { SH_DONE = 0, SH_WAIT = 1 };

/* What a stage does. All callbacks run on the stage's worker, one at a time, and are
 * optional unless noted. `state` is `size` zeroed bytes that belong to the stage. Batches,
 * reasons and subscriptions passed in are borrowed for the call. `self` is the stage. */
typedef struct sh_stage_ops {
    size_t size;
    /* The first callback. `arg` is that of sh_stage_opts. After SH_EFAILED, r->stop or r->ignore
     * the stage is not started. */
    int (*init)(sh_stage *self, void *state, void *arg, sh_result *r);
    /* Producers (required, unless other callbacks emit events): n > 0 new events are wanted.
     * Return fewer, as many, or more, now or from any later callback: the missing events stay
     * owed. On a producer_consumer, which may have it, it is asked before upstream, as in
     * GenStage 1.3. */
    int (*handle_demand)(sh_stage *self, void *state, int64_t n, sh_result *r);
    /* Consumers, producer_consumers (required): at most max_demand - min_demand events. */
    int (*handle_events)(sh_stage *self, void *state, sh_batch events,
                         sh_subscription *from, sh_result *r);
    /* On both sides, before the first events. `opts->selector` may be set here on the
     * producer's side. Only the consumer's side may set r->mode to SH_MANUAL. */
    int (*handle_subscribe)(sh_stage *self, void *state, sh_role other,
                            sh_subscribe_opts *opts, sh_subscription *from, sh_result *r);
    /* On both sides, after the last events of that subscription. */
    int (*handle_cancel)(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                         sh_subscription *from, sh_result *r);
    /* Answer in r->reply, or keep `from` (it stays valid until answered) for sh_reply(). */
    int (*handle_call)(sh_stage *self, void *state, sh_batch request, sh_from from,
                       sh_result *r);
    int (*handle_cast)(sh_stage *self, void *state, sh_batch message, sh_result *r);
    /* Messages of sh_stage_send, of timers and of sh_stage_info. */
    int (*handle_info)(sh_stage *self, void *state, sh_batch message, sh_result *r);
    /* Consumers: a message that sh_stage_notify sent to a producer. A producer_consumer without
     * this callback passes the notification on to its own consumers. A producer with it gets the
     * messages of sh_stage_notify instead of its consumers; `from` is NULL. */
    int (*handle_notification)(sh_stage *self, void *state, sh_batch message,
                               sh_subscription *from, sh_result *r);
    /* A stage with handle_exit traps exits: it ends neither with the stages it is linked to nor
     * by sh_stage_exit; this callback is called instead. `from` may be NULL: no sender. */
    int (*handle_exit)(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                       sh_result *r);
    /* A stage that sh_stage_monitor watches has ended; the monitor is used up. */
    int (*handle_down)(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                       uint64_t ref, sh_result *r);
    /* Stages that consume: once, before terminate, when no subscription is left and none has
     * ended abnormally; the stage then ends gracefully with the reason of the last one (`reason`:
     * normal or shutdown). So this is also the last chance to emit. Temporary subscriptions do not
     * count: with only such subscriptions, it takes sh_stage_end_input() or a drain. */
    int (*handle_end)(sh_stage *self, void *state, sh_error *reason, sh_result *r);
    /* The buffer discarded `count` events. Returns whether to log that. Must not wait. */
    bool (*format_discarded)(sh_stage *self, void *state, uint64_t count);
    /* The last callback, on every end except a kill. */
    int (*terminate)(sh_stage *self, void *state, sh_error *reason, sh_result *r);
    /* The answer to a request made with {self, ref}. It comes at any time, also while a
     * callback waits (it is what ends most waits). `value` is owned by the callee and may be
     * empty. */
    void (*handle_reply)(sh_stage *self, void *state, uint64_t ref, int status,
                         sh_batch value, sh_error *error);
    /* Frees what `state` owns; always called last, also after a kill or a failed init. `state`
     * itself belongs to the core. `arg` is NULL unless init never took it. */
    void (*destroy)(sh_stage *self, void *state, void *arg);
    /* Writes the place of a callback ("handle_events") in a program, for reports about a callback
     * that does not return: "pipeline.lua:12", cut to `size`. Called on any thread while the
     * callback runs; the stage does not end meanwhile. NULL: unknown. */
    void (*locate)(const void *state, const char *callback, char *out, size_t size);
    /* For a start on another worker: turns `arg` (taken, also on failure) into a parcel on
     * the starter's thread; `arg_decode` rebuilds it on the stage's thread. Both or none (arg
     * then crosses unchanged). */
    int (*arg_encode)(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error);
    int (*arg_decode)(sh_worker *worker, const sh_parcel *parcel, void **arg,
                      sh_error **error);
    /* Optional. For events of any kind, if the dead-letter stage has this function, too. */
    sh_letters *letters;
} sh_stage_ops;

/* Ends the wait of a callback that returned SH_WAIT. Takes the contents of *r; `status` is
 * SH_DONE or SH_EFAILED. On the stage's worker, never from inside one of its callbacks. */
void sh_stage_complete(sh_stage *self, int status, sh_result *r);

/* Inside handle_events, or before sh_stage_complete ends its wait: the i-th event (from 0) of its
 * batch could not be handled; all others are. When the callback has succeeded, on_error = skip and
 * dead_letter then take these events alone; with stop and retry it is as if the callback had failed
 * with the first reason, but what follows the last try takes these events alone. `reason` is
 * taken, and not NULL. SH_ESTATE: no handle_events; SH_EBADOPT: no such event. */
int sh_stage_fail_event(sh_stage *self, uint32_t i, sh_error *reason);
/* Inside handle_events of a stage with on_error = retry: its batch fails when the callback has
 * succeeded, and this is the delay before the next try, if there is one. `reason` is taken.
 * SH_ESTATE: no handle_events; SH_EBADOPT: another on_error. */
int sh_stage_retry_in(sh_stage *self, uint64_t ms, sh_error *reason);

/* -- options --------------------------------------------------------------------------- */

enum { SH_BUFFER_DEFAULT = 0, SH_BUFFER_INFINITY = -1, SH_BUFFER_NONE = -2 };
/* SH_BUFFER_DEFAULT of a producer; on a producer_consumer, or with `combine`, it is infinity. */
enum { SH_BUFFER_DEFAULT_SIZE = 10000 };

/* At most `events` in any window of `per_ms` milliseconds, spread evenly over it as far as timers
 * can (in portions of about 1 % of the window, at least 5 ms apart). events 0: no limit. */
typedef struct sh_rate {
    int64_t events;
    uint64_t per_ms;
} sh_rate;

/* All zero means the defaults. Between two tries the stage waits like a waiting callback: its
 * other messages keep their order after the batch. */
typedef struct sh_retry {
    uint32_t times;    /* tries after the first one; 0: 3                  */
    int64_t delay_ms;  /* before the first of them; 0: 100; SH_RETRY_NOW   */
    double factor;     /* from one delay to the next; >= 1; 0: 2           */
    uint64_t cap_ms;   /* the longest delay; 0: none                       */
    double jitter;     /* 0 .. 1: the share of a delay that is random      */
    sh_on_error after; /* when all have failed; not SH_ON_ERROR_RETRY      */
} sh_retry;
enum {
    SH_RETRY_NOW = -1,
    SH_RETRY_TIMES = 3,
    SH_RETRY_DELAY_MS = 100,
    SH_RETRY_FACTOR = 2
};

/* Defaults for a consumer's subscriptions. min_demand belongs to max_demand: a subscription that
 * gives one of them gets neither from here. */
typedef struct sh_subscribe_defaults {
    int64_t max_demand, min_demand; /* 0: the host's default */
    bool has_min;
    sh_cancel cancel;
} sh_subscribe_defaults;

typedef struct sh_stage_opts {
    sh_kind kind;
    const sh_stage_ops *ops; /* borrowed for the life of the host */
    void *arg;               /* for init; taken */
    const char *name;        /* unique in the host; NULL: none */
    /* What logs call a stage without a name, after a "#" and cut to 22 bytes; need not be
     * unique. NULL: its id. */
    const char *label;
    int worker;     /* 0: the caller's; n > 0: worker n - 1; SH_WORKER_ANY */
    sh_stage *link; /* a stage of the caller's worker (the caller): linked before init */
    /* The starter deals with the failures of this stage: they are logged, but not counted as
     * the host's (sh_host_summary.stages_failed, sh_host_first_failure). */
    bool supervised;
    /* What sh_stage_has_results() says of the stage. It means nothing to the core. */
    bool has_results;
    /* producers and producer_consumers */
    const sh_dispatcher_ops *dispatcher; /* NULL: sh_dispatcher_demand */
    const void *dispatcher_opts; /* as the dispatcher documents; copied by its init */
    sh_combine combine; /* of what is dispatched; not with subscriptions with ack */
    /* A number of events, or SH_BUFFER_*. SH_BUFFER_NONE: 0. */
    int64_t buffer_size;
    sh_keep buffer_keep;
    bool discard_buffer_when_no_consumers; /* and the queues of a dispatcher */
    sh_demand_mode demand;                 /* producers only */
    /* Limits everything the stage sends; a broadcast event counts once. Events above the rate are
     * not asked of handle_demand, or wait in the buffer. A drain respects it. */
    sh_rate rate;
    uint64_t polling_interval_ms; /* producers: ask again while demand is owed; 0: never */
    /* With several producers: the normal end of a producer ends the stage only if it was the
     * last one (default, as in GenStage: if it is the first permanent one to end). */
    bool end_with_last;
    /* For consumers that come back after a crash: a graceful end waits while there are none
     * until the buffer is empty (default: it waits only for the first consumer to come). */
    bool await_consumers;
    sh_on_error on_error; /* of handle_events */
    sh_retry retry;       /* with SH_ON_ERROR_RETRY */
    /* The stage for events that can't be handled: those of on_error, those that a hash refuses,
     * and those delivered max_deliver times. Any stage with a handle_cast, which gets lists of
     * letters. If it is not alive, the events are counted as unfinished, and logged. */
    sh_stage *dead_letter;        /* borrowed: a reference is taken; or ... */
    const char *dead_letter_name; /* ... its name; copied */
    /* consumers and producer_consumers */
    sh_subscribe_defaults defaults;
    /* consumers and producer_consumers: started only if all of these are valid */
    const sh_subscribe_opts *subscribe_to;
    size_t n_subscribe_to;
} sh_stage_opts;
enum { SH_WORKER_ANY = -1 };

/* -- starting, and the handle ---------------------------------------------------------- */

/* Starts a stage. `from` (optional) is answered when init has finished: SH_OK, SH_EIGNORED,
 * or SH_EFAILED with the reason. SH_EBADOPT with *error (owned by the caller; may be NULL)
 * names the option, and nothing is started. On SH_OK *out (may be NULL) is a new
 * reference. */
int sh_stage_start(sh_worker *worker, const sh_stage_opts *opts, sh_from from,
                   sh_stage **out, sh_error **error);

/* Sets options from inside `init`, on the stage's worker: all options below `name` and
 * `worker` replace those given to sh_stage_start. SH_EBADOPT with *error; SH_ESTATE
 * outside init. */
int sh_stage_configure(sh_stage *self, const sh_stage_opts *opts, sh_error **error);

/* For a process in its init, which may take as long as it likes: tells whether it is putting stages
 * together now, as it is at its beginning. A drain does not begin meanwhile, for at most a second,
 * so that no pipeline is drained half built. On its worker; does nothing for other stages. */
void sh_stage_builds(sh_stage *self, bool builds);

sh_stage *sh_stage_ref(sh_stage *stage);       /* any thread */
void sh_stage_unref(sh_stage *stage);          /* any thread; NULL is allowed */
bool sh_stage_is_alive(const sh_stage *stage); /* any thread; may be out of date at once */
sh_kind sh_stage_kind(const sh_stage *stage);  /* any thread */
/* Whether the stage has more to tell at its end than the reason, to those who ask it while it runs:
 * sh_stage_opts.has_results. Any thread. */
bool sh_stage_has_results(const sh_stage *stage);
uint64_t sh_stage_id(const sh_stage *stage); /* any thread; unique in the host */
/* The name; "#label" or "#id" if the stage has none. Any thread. */
const char *sh_stage_name(const sh_stage *stage);
unsigned sh_stage_worker_index(const sh_stage *stage); /* any thread */
sh_worker *sh_stage_worker(sh_stage *stage);
/* The stage's private state; NULL once it has ended. On the stage's worker. */
void *sh_stage_state(sh_stage *stage);

/* -- names and groups ------------------------------------------------------------------ */

/* A new reference or NULL. Any thread. */
sh_stage *sh_whereis(sh_host *host, const char *name);

/* The names of all stages, sorted: an array of *n, which the caller sh_frees as one block. NULL:
 * out of memory. Any thread. */
char **sh_names(sh_host *host, size_t *n);
/* Answers `from` with the stage of that name (see sh_stage_of_reply) as soon as there is one,
 * or SH_ETIMEDOUT (timeout_ms 0: never). On the worker of from.stage. */
int sh_await_name(sh_worker *worker, const char *name, uint64_t timeout_ms, sh_from from);
/* The stage that such an answer carries: a new reference, or NULL. */
sh_stage *sh_stage_of_reply(sh_batch value);

/* Groups: stages under a common name. A stage is in a group once, and leaves it when it ends.
 * On self's worker; SH_ESTATE: `self` has ended; leave: SH_ENOPROC if it is not in the group. */
int sh_group_enter(sh_worker *worker, sh_stage *self, const char *group);
int sh_group_leave(sh_worker *worker, sh_stage *self, const char *group);
/* *out is an array of *n references in the order of entering, which the caller unrefs and sh_frees;
 * NULL if there are none. Any thread. */
int sh_group_members(sh_host *host, const char *group, sh_stage ***out, size_t *n);

/* -- messages -------------------------------------------------------------------------- */

/* These functions take `message` (an owned batch of one). For a dead stage, casts are
 * dropped and requests are answered SH_ENOPROC. Order between two stages is kept. A payload
 * that can't cross to another worker: SH_EFAILED with *error, nothing sent. */
int sh_stage_call(sh_worker *worker, sh_stage *to, sh_batch request, sh_from from,
                  uint64_t timeout_ms /* 0: for ever */, sh_error **error);
int sh_stage_cast(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
int sh_stage_send(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
/* Like sh_stage_send, but the message is taken before all others in the stage's mailbox. For data
 * that a source gets from outside the engine, such as that of a read: no end of the stage overtakes
 * it. On the stage's worker. */
int sh_stage_send_ahead(sh_stage *self, sh_batch message);
/* In band, to the stage itself: handle_info gets it after all events that are buffered now.
 * Answered when queued, as GenStage's sync_info/async_info. */
int sh_stage_info(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                  sh_error **error);
/* In band, to every consumer of `to`: never dropped, in order with events. */
int sh_stage_notify(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                    sh_error **error);
/* Answers a call; each `from` once. Takes `value`; with `failure` (taken) the answer is
 * SH_EFAILED. */
int sh_reply(sh_worker *worker, sh_from from, sh_batch value, sh_error *failure,
             sh_error **error);

/* Demand mode of a producer. Answered SH_OK, or SH_ENOTPRODUCER (and logged). */
int sh_stage_set_demand(sh_worker *worker, sh_stage *stage, sh_demand_mode mode,
                        sh_from from);
/* One number about a stage, answered as an integer (a values batch). */
typedef enum sh_query { SH_QUERY_DEMAND_MODE, SH_QUERY_BUFFERED } sh_query;
int sh_stage_query(sh_worker *worker, sh_stage *stage, sh_query what, sh_from from);

/* For tests: answers `from` when no stage of the worker has anything to do, for the first time from
 * now on; timers, I/O and other workers may still give them something. SH_ESTATE: another stage
 * waits for that. On the worker's thread. */
int sh_worker_await_idle(sh_worker *worker, sh_from from);

/* -- ends ------------------------------------------------------------------------------ */

/* Ends a stage gracefully, after the messages before this one. With a normal reason and
 * consumers, a producer first lets its consumers take what it has buffered or accumulated (it
 * forwards from now on). `reason` is taken; `from` is answered when the stage has ended. */
int sh_stage_stop(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_from from);
/* Ends a producer gracefully: handle_demand is not called any more, buffered events go to its
 * consumers (also to those still expected), then it ends normally. Does not wait; may be called
 * from its own callbacks. SH_ENOTPRODUCER for other kinds. */
int sh_stage_finish(sh_worker *worker, sh_stage *stage);
/* Declares the subscriptions of a stage that consumes, of any mode, the last ones: when they have
 * ended (or now), handle_end is called, and the stage ends normally. Does not wait.
 * SH_ENOTCONSUMER for other kinds. */
int sh_stage_end_input(sh_worker *worker, sh_stage *stage);
/* Counts a failure that `self` should have dealt with and did not as the host's, unless `self`
 * is supervised too. `reason` is borrowed and not NULL. On the stage's worker. */
void sh_stage_count_failure(sh_stage *self, sh_error *reason);
/* Ends a stage at once, whatever it is doing, with reason "killed" and without terminate. */
int sh_stage_kill(sh_worker *worker, sh_stage *stage);
/* Answers `from` with the end reason when the stage ends; at once if it has ended. */
int sh_stage_join(sh_worker *worker, sh_stage *stage, sh_from from);

/* For terminate: counts n events that the stage took and kept, and that nobody will get, as
 * discarded if it ends by its own choice, else as unfinished. On the stage's worker. */
void sh_stage_leave_behind(sh_stage *self, uint64_t n);
/* For a callback of a consumer that is about to end: ends a producer that it leaves without a
 * consumer, too, with the reason NULL ("normal"), and so the producers of that one. For the end of
 * a pipeline whose output is not read any more. On its worker. */
void sh_stage_end_producers(sh_stage *self);

/* -- links and monitors ---------------------------------------------------------------- */

/* Links, monitors and exit signals work as in Erlang/OTP, between stages of any workers.
 *
 * Links `self` with another stage; two stages have at most one link. When one of them ends, for
 * whatever reason, the other gets an exit signal with that reason ("killed" after a kill).
 * Linking with a stage that has ended yields the signal "noproc"; with itself it does nothing.
 * On self's worker. SH_ESTATE: `self` has ended. */
int sh_stage_link(sh_worker *worker, sh_stage *self, sh_stage *other);
/* Removes the link: no signal of it arrives any more. On self's worker. */
int sh_stage_unlink(sh_worker *worker, sh_stage *self, sh_stage *other);
/* Sends an exit signal. A stage with handle_exit gets it there, in turn. Any other stage ignores
 * "normal" (unless `by` is the stage itself); with another reason it ends at once: a callback
 * that waits is given up and not continued, and terminate runs. `reason` is taken. `by` may be
 * NULL. */
int sh_stage_exit(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_stage *by);
/* Calls handle_down of `self` when `other` ends; with "noproc" if it has ended before.
 * *ref is unique in the host. On self's worker. */
int sh_stage_monitor(sh_worker *worker, sh_stage *self, sh_stage *other, uint64_t *ref);
/* Removes a monitor: handle_down is not called for it any more. SH_ENOPROC: there is no such
 * monitor (any more). On self's worker. */
int sh_stage_demonitor(sh_worker *worker, sh_stage *self, uint64_t ref);

/* -- timers ---------------------------------------------------------------------------- */

/* Starts a timer: `message` (taken) arrives as if by sh_stage_send after after_ms, then every
 * every_ms (0: once). The end of the stage cancels it. On the stage's worker. *id is never 0. */
int sh_timer_start(sh_stage *self, uint64_t after_ms, uint64_t every_ms, sh_batch message,
                   uint64_t *id);
/* Starts a timer that calls handle_reply(ref, SH_ETIMEDOUT) instead, which wakes a callback that
 * waits. */
int sh_timer_wake(sh_stage *self, uint64_t after_ms, uint64_t ref, uint64_t *id);
/* Starts a timer that kills a stage instead. */
int sh_timer_kill(sh_stage *self, uint64_t after_ms, sh_stage *victim, uint64_t *id);
/* Limits the wait for an answer: calls handle_reply(ref, SH_ETIMEDOUT) unless the answer to
 * `ref` comes before. */
int sh_timer_limit(sh_stage *self, uint64_t timeout_ms, uint64_t ref);
/* Cancels a timer. SH_ENOPROC if there is none with that id (it has fired). */
int sh_timer_cancel(sh_stage *self, uint64_t id);

/* -- counters -------------------------------------------------------------------------- */

/* clang-format off */
typedef struct sh_stage_stats {
    uint64_t events_in, events_out;     /* given to handle_events; sent to consumers            */
    uint64_t messages_in, messages_out; /* of any kind                                          */
    uint64_t asks_in, asks_out;         /* ask messages                                         */
    uint64_t demand_in, demand_out;     /* events asked by consumers / of producers             */
    uint64_t discarded_full;            /* by the buffer's size                                 */
    uint64_t discarded_no_consumers;    /* discard_buffer_when_no_consumers, discards_abandoned */
    uint64_t discarded_none;            /* hashed to "none"                                     */
    uint64_t discarded_stopped;         /* queued for a consumer that chose to stop             */
    uint64_t declined;                  /* held only for consumers that chose to end, normally  */
    uint64_t unfinished;                /* accepted, neither handed on nor discarded            */
    int64_t combined;                   /* events that `combine` took, less those it made of them */
    uint64_t skipped;                   /* of batches that failed: on_error = skip              */
    uint64_t dead_lettered;             /* sent to the dead-letter stage                        */
    uint64_t redelivered;               /* came back unacknowledged, to be delivered again; the
                                           different events sent: events_out - redelivered      */
    uint64_t asks_answered, ask_ns;     /* asks that events followed on their subscription; the
                                           time from ask to events, read from the worker's clock:
                                           about as precise as its callbacks are long         */
    uint64_t uptime_ns;                 /* since its start                                     */
    const char *dispatcher;             /* its name; NULL on stages that produce nothing        */
    uint64_t callbacks, callback_ns;    /* their number, and time in them (without waits)       */
    int64_t demand_owed;                /* asked of handle_demand, not answered yet             */
    int64_t unacknowledged;             /* sent with ack, and not handled yet                   */
    int64_t buffered, queued;           /* events in the buffer and the accumulator of `combine`;
                                           in its input queue and mailbox                       */
    uint32_t consumers, producers;      /* subscriptions now                                    */
} sh_stage_stats;
/* clang-format on */

/* Works for an ended stage that is still referenced, too. On the stage's worker. */
void sh_stage_get_stats(const sh_stage *stage, sh_stage_stats *out);
/* For the ledger: `events` that this stage had handed on to something outside the engine were
 * not dealt with. `where` appears in the report and must outlive the host. On the stage's
 * worker. */
void sh_stage_lose(sh_stage *stage, uint64_t events, const char *where);
/* Calls `each` for every subscription of the stage to stages of the role `other`. */
void sh_stage_each_subscription(sh_stage *stage, sh_role other,
                                void (*each)(void *data, sh_subscription *sub), void *data);

/* Calls `each` for every subscription of a producer whose demand (asked for and not sent yet) is
 * > 0, in order of subscription; demand that handle_demand already knows of is included.
 * partition: the one that it takes at a partition dispatcher, else NULL; borrowed. On the
 * producer's worker, usually from handle_demand. */
void sh_stage_each_demand(sh_stage *stage,
                          void (*each)(void *data, sh_subscription *sub, int64_t demand,
                                       const char *partition),
                          void *data);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: MIT
 *
 * Stages: their callbacks and options, how they are started, spoken to, linked and ended, and
 * what they have counted. */
#ifndef STAGEHOST_STAGE_H
#define STAGEHOST_STAGE_H

#include "stagehost/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sh_kind { SH_PRODUCER, SH_PRODUCER_CONSUMER, SH_CONSUMER, SH_PROCESS } sh_kind;

typedef enum sh_mode { SH_AUTOMATIC, SH_MANUAL, SH_REDIRECT } sh_mode;
typedef enum sh_demand_mode { SH_DEMAND_FORWARD, SH_DEMAND_ACCUMULATE } sh_demand_mode;
typedef enum sh_cancel {
    SH_CANCEL_DEFAULT, /* permanent; of a stage with handle_end: transient */
    SH_CANCEL_PERMANENT,
    SH_CANCEL_TRANSIENT,
    SH_CANCEL_TEMPORARY
} sh_cancel;
typedef enum sh_role { SH_ROLE_PRODUCER, SH_ROLE_CONSUMER } sh_role; /* of the other side */
typedef enum sh_ended { SH_ENDED_CANCEL, SH_ENDED_DOWN } sh_ended;
typedef enum sh_keep { SH_KEEP_LAST, SH_KEEP_FIRST } sh_keep; /* by a buffer that is full */

/* Where an answer goes: the handle_reply of `stage`, with `ref`. All zero: no answer. */
typedef struct sh_from {
    sh_stage *stage;
    uint64_t ref; /* chosen by the asker, unique for it */
} sh_from;

/* -- callbacks ------------------------------------------------------------------------- */

/* What a callback hands back. All zero is "nothing to say". The core takes all of it. */
/* clang-format off */
typedef struct sh_result {
    sh_batch events;  /* producers: emit these (owned)                   */
    sh_batch reply;   /* handle_call: the answer (owned), with has_reply */
    bool has_reply;
    bool stop;        /* end the stage, after `events` and `reply`       */
    bool ignore;      /* init only: do not start, and it is no error     */
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
/* For handle_subscribe of a producer: the consumer is subscribed to all of these, with the
 * options it gave (but `cancel` instead of its own, if not NULL), before it is cancelled here with
 * the reason "redirected". So it has a producer at any time, unless n is 0, and no cancel mode
 * ends it; a target that is not there is reported as for a subscription. Sets r->mode; copies all.
 * SH_ENOMEM: *r is as it was. */
int sh_result_redirect(sh_result *r, const sh_target *targets, size_t n,
                       const sh_cancel *cancel);

/* A callback returns SH_DONE with *r filled, SH_WAIT when it will be completed later by
 * sh_stage_complete() (the stage takes no other message until then), or SH_EFAILED with
 * r->reason: the stage ends with that reason. */
enum { SH_DONE = 0, SH_WAIT = 1 };

/* What a stage does. All callbacks run on the stage's worker, one at a time, and are
 * optional unless noted. `state` is `size` zeroed bytes that belong to the stage. Batches,
 * reasons and subscriptions passed in are borrowed for the call. `self` is the stage. */
typedef struct sh_stage_ops {
    size_t size;
    /* First. `arg` as in sh_stage_opts. SH_EFAILED, r->stop and r->ignore: not started. */
    int (*init)(sh_stage *self, void *state, void *arg, sh_result *r);
    /* Producers (required): n > 0 new events are wanted. Answer with fewer, as many, or
     * more, now or from any later callback: what is missing stays owed. Where a
     * producer_consumer has it, it is asked before upstream. As GenStage 1.3. */
    int (*handle_demand)(sh_stage *self, void *state, int64_t n, sh_result *r);
    /* Consumers, producer_consumers (required): at most max_demand - min_demand events. */
    int (*handle_events)(sh_stage *self, void *state, sh_batch events,
                         sh_subscription *from, sh_result *r);
    /* On both sides, before the first events. `opts->selector` may be set here on the
     * producer's side. r->mode other than automatic is for the consumer's side only. */
    int (*handle_subscribe)(sh_stage *self, void *state, sh_role other,
                            sh_subscribe_opts *opts, sh_subscription *from, sh_result *r);
    /* On both sides, after the last events of that subscription. */
    int (*handle_cancel)(sh_stage *self, void *state, sh_ended how, sh_error *reason,
                         sh_subscription *from, sh_result *r);
    /* Answer in r->reply, or keep `from` (it stays valid until answered) for sh_reply(). */
    int (*handle_call)(sh_stage *self, void *state, sh_batch request, sh_from from,
                       sh_result *r);
    int (*handle_cast)(sh_stage *self, void *state, sh_batch message, sh_result *r);
    /* sh_stage_send, timers, and what sh_stage_info queued. */
    int (*handle_info)(sh_stage *self, void *state, sh_batch message, sh_result *r);
    /* Consumers: sh_stage_notify of a producer. A producer_consumer without it passes
     * the notification on to its own consumers. A producer with it gets what others tell
     * it by sh_stage_notify in place of its consumers; `from` is NULL. */
    int (*handle_notification)(sh_stage *self, void *state, sh_batch message,
                               sh_subscription *from, sh_result *r);
    /* A stage with handle_exit traps exits: it does not end with the stages it is linked to,
     * nor by sh_stage_exit, but is told. `from` may be NULL: sent by nobody. */
    int (*handle_exit)(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                       sh_result *r);
    /* A stage that sh_stage_monitor_down watches has ended; the monitor is used up. */
    int (*handle_down)(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                       uint64_t ref, sh_result *r);
    /* Stages that consume: once, before terminate, when no subscription is left and none has
     * ended abnormally; then the stage ends in order, as the last one did (`reason`: normal or
     * shutdown). So it also is the last chance to emit. Temporary subscriptions do not count:
     * with such ones only, it takes sh_stage_end_input() or a drain. */
    int (*handle_end)(sh_stage *self, void *state, sh_error *reason, sh_result *r);
    /* `count` events were discarded by the buffer. Returns whether to log it. Must not
     * wait. */
    bool (*format_discarded)(sh_stage *self, void *state, uint64_t count);
    /* Last callback, on every end but a kill. */
    int (*terminate)(sh_stage *self, void *state, sh_error *reason, sh_result *r);
    /* The answer to a request made with {self, ref}; comes at any time, also while a
     * callback waits (it is what ends most waits). `value` is owned by the callee, may be
     * empty. */
    void (*handle_reply)(sh_stage *self, void *state, uint64_t ref, int status,
                         sh_batch value, sh_error *error);
    /* Frees what `state` owns; always last, also after a kill or a failed init. `state`
     * itself belongs to the core. `arg` is passed if init never took it, else NULL. */
    void (*destroy)(sh_stage *self, void *state, void *arg);
    /* Where in a program a callback ("handle_events") is, for reports about one that does not
     * return: "pipeline.lua:12", cut to `size`. Called on any thread while it runs; the stage does
     * not end meanwhile. NULL: unknown. */
    void (*locate)(const void *state, const char *callback, char *out, size_t size);
    /* For a start on another worker: turns `arg` (taken, also on failure) into a parcel on
     * the starter's thread; `arg_decode` rebuilds it on the stage's. Both or none (then arg
     * crosses as it is). */
    int (*arg_encode)(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error);
    int (*arg_decode)(sh_worker *worker, const sh_parcel *parcel, void **arg,
                      sh_error **error);
} sh_stage_ops;

/* Ends the wait of a callback that returned SH_WAIT. Takes the contents of *r; `status` is
 * SH_DONE or SH_EFAILED. On the stage's worker, never from inside one of its callbacks. */
void sh_stage_complete(sh_stage *self, int status, sh_result *r);

/* -- options --------------------------------------------------------------------------- */

enum { SH_BUFFER_DEFAULT = 0, SH_BUFFER_INFINITY = -1, SH_BUFFER_NONE = -2 };
/* SH_BUFFER_DEFAULT of a producer; on a producer_consumer it is infinity. */
enum { SH_BUFFER_DEFAULT_SIZE = 10000 };

/* At most `events` in any window of `per_ms` milliseconds, spread evenly over it as far as timers
 * can (in portions of about 1 % of the window, at least 5 ms apart). events 0: no limit. */
typedef struct sh_rate {
    int64_t events;
    uint64_t per_ms;
} sh_rate;

/* What follows when handle_events fails. What the callback has changed in its state stays as
 * it is; the batch that it was given counts as handled (it is paid off, and acknowledged)
 * unless the stage stops. */
/* clang-format off */
typedef enum sh_on_error {
    SH_ON_ERROR_STOP,       /* the stage ends with the error as its reason             */
    SH_ON_ERROR_SKIP,       /* the batch is dropped, counted as skipped, and logged    */
    SH_ON_ERROR_RETRY,      /* the same batch is given again, then `after`             */
    SH_ON_ERROR_DEAD_LETTER /* its events go to the dead-letter stage, one letter each */
} sh_on_error;
/* clang-format on */

/* All zero means the defaults. The stage waits between two tries as a callback does that
 * waits: its other messages keep their order behind the batch. */
typedef struct sh_retry {
    uint32_t times;    /* tries after the first one; 0: 3                  */
    int64_t delay_ms;  /* before the first of them; 0: 100; SH_RETRY_NOW   */
    double factor;     /* of each delay on the one before; >= 1; 0: 2      */
    sh_on_error after; /* when all have failed; not SH_ON_ERROR_RETRY      */
} sh_retry;
enum {
    SH_RETRY_NOW = -1,
    SH_RETRY_TIMES = 3,
    SH_RETRY_DELAY_MS = 100,
    SH_RETRY_FACTOR = 2
};

/* What the subscriptions of a consumer have that do not say it themselves. min_demand goes with
 * max_demand: a subscription that gives one of them gets neither from here. */
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
    /* Of a stage without a name: what logs call it, behind a "#" and cut to 22 bytes; need not
     * be unique. NULL: its id. */
    const char *label;
    int worker;     /* 0: the caller's; n > 0: worker n - 1; SH_WORKER_ANY */
    sh_stage *link; /* a stage of the caller's worker (the caller): linked before init */
    /* Whoever starts it deals with its failures: they are logged, but not among the host's
     * (sh_host_summary.stages_failed, sh_host_first_failure). */
    bool supervised;
    /* producers and producer_consumers */
    const sh_dispatcher_ops *dispatcher; /* NULL: sh_dispatcher_demand */
    const void *dispatcher_opts; /* as the dispatcher documents; copied by its init */
    /* In events, or one of the three. SH_BUFFER_NONE: 0. */
    int64_t buffer_size;
    sh_keep buffer_keep;
    bool discard_buffer_when_no_consumers; /* and the queues of a dispatcher */
    sh_demand_mode demand;                 /* producers only */
    /* Of all it sends; an event that a broadcast sends to many counts once. What exceeds it is
     * not asked of handle_demand, or waits in the buffer. A drain respects it. */
    sh_rate rate;
    uint64_t polling_interval_ms; /* producers: ask again while demand is owed; 0: never */
    /* With several producers: a normal end of one ends the stage only if it was the last
     * one (default, as GenStage: the first permanent one that ends). */
    bool end_with_last;
    /* Where consumers that crash come back: an orderly end also waits while there are none,
     * until what is buffered has been taken (default: only for the first to come). */
    bool await_consumers;
    sh_on_error on_error; /* of handle_events */
    sh_retry retry;       /* with SH_ON_ERROR_RETRY */
    /* Where events go that can't be handled: by on_error, those that a hash refuses, and those
     * that were delivered max_deliver times. Any stage with a handle_cast, which gets lists of
     * letters. When it is not there, they are counted unfinished, and logged. */
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

/* Starts a stage. `from` (optional) is answered when init is through: SH_OK, SH_EIGNORED,
 * or SH_EFAILED with the reason. SH_EBADOPT with *error (owned by the caller; may be NULL)
 * names the option, and nothing is started. On SH_OK *out (may be NULL) is a new
 * reference. */
int sh_stage_start(sh_worker *worker, const sh_stage_opts *opts, sh_from from,
                   sh_stage **out, sh_error **error);

/* Sets options from inside `init`, on the stage's worker: everything below `name` and
 * `worker` replaces what sh_stage_start was given. SH_EBADOPT with *error; SH_ESTATE
 * outside init. */
int sh_stage_configure(sh_stage *self, const sh_stage_opts *opts, sh_error **error);

/* From a process in its init, which may take as long as it likes: whether it is putting stages
 * together now. It is when it begins. A drain does not begin meanwhile, for at most a second: what
 * is half built would fall to pieces. On its worker; nothing for other stages. */
void sh_stage_builds(sh_stage *self, bool builds);

sh_stage *sh_stage_ref(sh_stage *stage);       /* any thread */
void sh_stage_unref(sh_stage *stage);          /* any thread; NULL is allowed */
bool sh_stage_is_alive(const sh_stage *stage); /* any thread; may be out of date at once */
sh_kind sh_stage_kind(const sh_stage *stage);  /* any thread */
uint64_t sh_stage_id(const sh_stage *stage);   /* any thread; unique in the host */
/* "#label" or "#id" if it has none. Any thread. */
const char *sh_stage_name(const sh_stage *stage);
unsigned sh_stage_worker_index(const sh_stage *stage); /* any thread */
sh_worker *sh_stage_worker(sh_stage *stage);
/* Its private state. On the stage's worker while it is alive, else NULL. */
void *sh_stage_state(sh_stage *stage);

/* -- names and groups ------------------------------------------------------------------ */

/* A new reference or NULL. Any thread. */
sh_stage *sh_whereis(sh_host *host, const char *name);

/* The names of all stages, sorted: an array of *n, to be sh_free'd as one block. NULL: out of
 * memory. Any thread. */
char **sh_names(sh_host *host, size_t *n);
/* Answers `from` with the stage of that name (see sh_reply_stage) as soon as there is one, or
 * SH_ETIMEDOUT (timeout_ms 0: never). On the worker of from.stage. */
int sh_await_name(sh_worker *worker, const char *name, uint64_t timeout_ms, sh_from from);
/* The stage that such an answer carries: a new reference, or NULL. */
sh_stage *sh_reply_stage(sh_batch value);

/* Groups: stages under a common name. A stage is in a group once, and leaves it when it ends.
 * On self's worker; SH_ESTATE: it has ended; leave: SH_ENOPROC if it is not in it. */
int sh_group_join(sh_worker *worker, sh_stage *self, const char *group);
int sh_group_leave(sh_worker *worker, sh_stage *self, const char *group);
/* An array of *n references in order of joining, to be unref'd and sh_free'd; NULL if there
 * are none. Any thread. */
int sh_group_members(sh_host *host, const char *group, sh_stage ***out, size_t *n);

/* -- messages -------------------------------------------------------------------------- */

/* Each takes `message` (an owned batch of one). To a dead stage: casts are
 * dropped, requests are answered SH_ENOPROC. Order between two stages is kept. A payload
 * that can't cross to another worker: SH_EFAILED with *error, nothing sent. */
int sh_stage_call(sh_worker *worker, sh_stage *to, sh_batch request, sh_from from,
                  uint64_t timeout_ms /* 0: for ever */, sh_error **error);
int sh_stage_cast(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
int sh_stage_send(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
/* As sh_stage_send, but taken before all that waits in the stage's mailbox. For what a source gets
 * from outside of the engine, such as the data of a read: no end of the stage overtakes it. On the
 * stage's worker. */
int sh_stage_send_ahead(sh_stage *self, sh_batch message);
/* In band, to the stage itself: handle_info after everything it has buffered now. Answered
 * when queued. As GenStage's sync_info/async_info. */
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

/* -- ends ------------------------------------------------------------------------------ */

/* Ends a stage in order, after the messages before this one. With a normal reason and
 * consumers, a producer first lets its consumers take what it has buffered or accumulated (it
 * forwards from now on). `reason` is taken; `from` is answered when the stage has ended. */
int sh_stage_stop(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_from from);
/* Ends a producer in order: handle_demand is not called any more, what it has buffered goes
 * out as far as its consumers are there or still to come, then it ends normally. Does not
 * wait; also from its own callbacks. SH_ENOTPRODUCER for other kinds. */
int sh_stage_finish(sh_worker *worker, sh_stage *stage);
/* The subscriptions of a stage that consumes are the last ones, of whatever mode: when they have
 * ended (or now), handle_end is called, and the stage ends normally. Does not wait.
 * SH_ENOTCONSUMER for other kinds. */
int sh_stage_end_input(sh_worker *worker, sh_stage *stage);
/* A failure that `self` was to deal with and did not: counted as the host's, unless `self` is
 * supervised too. `reason` is borrowed and not NULL. On the stage's worker. */
void sh_stage_count_failure(sh_stage *self, sh_error *reason);
/* Ends a stage at once, whatever it is doing, with reason "killed" and no terminate. */
int sh_stage_kill(sh_worker *worker, sh_stage *stage);
/* Answered with the end reason when the stage ends; at once if it has ended. */
int sh_stage_monitor(sh_worker *worker, sh_stage *stage, sh_from from);

/* From its terminate: n events that it took and kept, and that nobody will get now. They are
 * counted as discarded if it ends by its own choice, else as unfinished. On its worker. */
void sh_stage_leave_behind(sh_stage *self, uint64_t n);
/* From a callback of a consumer that is about to end: a producer that it leaves without a consumer
 * ends, too, with the reason NULL ("normal"), and so do that one's producers. For the end of a
 * pipeline that nobody reads any more. On its worker. */
void sh_stage_end_producers(sh_stage *self);

/* -- links and monitors ---------------------------------------------------------------- */

/* Links, monitors and exit signals work as in Erlang/OTP, between stages of any workers.
 *
 * Links `self` with another stage; both know at most one link with one another. When one of
 * them ends, for whatever reason, the other gets an exit signal with it ("killed" after a
 * kill). Linking with a stage that has ended yields the signal "noproc". With itself: nothing.
 * On self's worker. SH_ESTATE: it has ended. */
int sh_stage_link(sh_worker *worker, sh_stage *self, sh_stage *other);
/* No signal of this link arrives any more. On self's worker. */
int sh_stage_unlink(sh_worker *worker, sh_stage *self, sh_stage *other);
/* Sends an exit signal. A stage with handle_exit is told of it in turn. Any other one ignores
 * "normal" (unless `by` is the stage itself), and else ends at once with that reason: what its
 * callback waits for is given up, the callback is not continued, terminate runs. `reason` is
 * taken. `by` may be NULL. */
int sh_stage_exit(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_stage *by);
/* Has handle_down of `self` called when `other` ends; with "noproc" if it has ended before.
 * *ref is unique in the host. On self's worker. */
int sh_stage_monitor_down(sh_worker *worker, sh_stage *self, sh_stage *other,
                          uint64_t *ref);
/* handle_down is not called any more for this monitor. SH_ENOPROC: it is used up, or never
 * was. On self's worker. */
int sh_stage_demonitor(sh_worker *worker, sh_stage *self, uint64_t ref);

/* -- timers ---------------------------------------------------------------------------- */

/* Timers: `message` (taken) arrives as by sh_stage_send after after_ms, then every every_ms
 * (0: once). Cancelled at the stage's end. On the stage's worker. *id is never 0. */
int sh_timer_start(sh_stage *self, uint64_t after_ms, uint64_t every_ms, sh_batch message,
                   uint64_t *id);
/* A timer that answers handle_reply(ref, SH_ETIMEDOUT) instead, which wakes a callback that
 * waits. */
int sh_timer_wake(sh_stage *self, uint64_t after_ms, uint64_t ref, uint64_t *id);
/* A limit for the wait for an answer: handle_reply(ref, SH_ETIMEDOUT), unless the answer to
 * `ref` comes before. */
int sh_timer_limit(sh_stage *self, uint64_t timeout_ms, uint64_t ref);
/* SH_ENOPROC if there is no such timer (it has fired). */
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
    uint64_t declined;                  /* held for nobody but consumers that ended by their
                                           own will, normally                               */
    uint64_t unfinished;                /* accepted, neither handed on nor discarded            */
    uint64_t skipped;                   /* of batches that failed: on_error = skip              */
    uint64_t dead_lettered;             /* sent to the dead-letter stage                        */
    uint64_t redelivered;               /* came back unacknowledged, to be delivered again: all
                                           that it ever sent is events_out - redelivered        */
    uint64_t asks_answered, ask_ns;     /* asks that events followed on their subscription; the
                                           time from each to these, as its worker's clock was
                                           read: about as good as its callbacks are long      */
    uint64_t uptime_ns;                 /* since its start                                     */
    const char *dispatcher;             /* its name; NULL on stages that produce nothing        */
    uint64_t callbacks, callback_ns;    /* number of, time in (user time of waits excluded)     */
    int64_t demand_owed;                /* asked of handle_demand, not answered yet             */
    int64_t unacknowledged;             /* sent with ack, and not handled yet                   */
    int64_t buffered, queued;           /* events in the buffer; in its input queue and mailbox */
    uint32_t consumers, producers;      /* subscriptions now                                    */
} sh_stage_stats;
/* clang-format on */

/* On the stage's worker. Works for an ended stage that is still referenced. */
void sh_stage_get_stats(const sh_stage *stage, sh_stage_stats *out);
/* For the ledger: `events` that this stage had handed on, to something that the engine does not
 * know of, were not dealt with. `where` is told in the report; a string that stays. On the
 * stage's worker. */
void sh_stage_lose(sh_stage *stage, uint64_t events, const char *where);
/* Calls `each` for every subscription of the stage; `other`: role of the other stage. */
void sh_stage_each_subscription(sh_stage *stage, sh_role other,
                                void (*each)(void *data, sh_subscription *sub), void *data);

/* Calls `each` for every subscription of a producer with demand > 0 that has been asked for and
 * not sent yet, in order of subscription: all of what it waits for, also what handle_demand was
 * told of before. partition: which one it takes, at a partition dispatcher, else NULL; borrowed.
 * On its worker, from handle_demand above all. */
void sh_stage_each_demand(sh_stage *stage,
                          void (*each)(void *data, sh_subscription *sub, int64_t demand,
                                       const char *partition),
                          void *data);

#ifdef __cplusplus
}
#endif
#endif

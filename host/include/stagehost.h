/* SPDX-License-Identifier: MIT
 *
 * stagehost.h - demand-driven stages on libuv: the public interface of the core.
 *
 * Reading order: errors and reasons, events, what a stage is, starting and talking to
 * stages, subscriptions, dispatchers, the host.
 *
 * Rules that hold everywhere
 *   - All option structs: zero means default; they are copied before the call returns.
 *   - `int` results are SH_OK or a negative SH_E* code; sh_strerror() gives the text.
 *   - `_new/_free` heap objects, `_ref/_unref` shared objects. A function that takes
 *     ownership ("takes") takes it on failure too; everything else is borrowed.
 *   - Threads: a function with an sh_worker parameter may only be called on that worker's
 *     thread. Everything else says what it needs; "any thread" means just that.
 *   - The library never prints, exits or installs a signal handler.
 */
#ifndef STAGEHOST_H
#define STAGEHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SH_VERSION "0.1.0"

typedef struct sh_host sh_host;     /* the runtime: workers, names, end state  */
typedef struct sh_worker sh_worker; /* one thread: loop, run queue, its stages */
typedef struct sh_stage sh_stage;   /* shared handle of one stage              */
typedef struct sh_subscription
    sh_subscription;                    /* shared handle of one consumer/producer link */
typedef struct sh_error sh_error;       /* why something ended or failed           */
typedef struct sh_list sh_list;         /* an immutable list of events             */
typedef struct sh_batch sh_batch;       /* a range of a list                       */
typedef struct sh_dispatch sh_dispatch; /* where a dispatcher puts its deliveries  */
struct uv_loop_s;

/* -------------------------------------------------------------------- errors, reasons */

#define SH_ERRNO_MAP(XX)                                                                   \
    XX(ENOMEM, -1, "out of memory")                                                        \
    XX(EINVAL, -2, "invalid argument")                                                     \
    XX(EBADOPT, -3, "invalid option")                                                      \
    XX(ENOPROC, -4, "no such stage, or it is not alive")                                   \
    XX(EEXIST, -5, "already started: the name is taken")                                   \
    XX(ETIMEDOUT, -6, "timed out")                                                         \
    XX(ENOTCONSUMER, -7, "the stage is not a consumer")                                    \
    XX(ENOTPRODUCER, -8, "the stage is not a producer")                                    \
    XX(EFAILED, -9, "failed; the error tells why")                                         \
    XX(EIGNORED, -10, "init answered ignore")                                              \
    XX(ENOSYS, -11, "not supported by this kind of stage")                                 \
    XX(ESTATE, -12, "not possible in this state")

enum {
    SH_OK = 0,
#define XX(name, value, text) SH_##name = (value),
    SH_ERRNO_MAP(XX)
#undef XX
};

/* Static text of a code, "unknown error" for others. Any thread. */
const char *sh_strerror(int code);
/* "ENOMEM" and so on. Any thread. */
const char *sh_err_name(int code);

/* Why a stage ended. SH_REASON_NORMAL is written as a NULL sh_error. */
#define SH_REASON_MAP(XX)                                                                  \
    XX(NORMAL, "normal")                                                                   \
    XX(SHUTDOWN, "shutdown") /* asked to end, plain or with a detail */                    \
    XX(KILLED, "killed")                                                                   \
    XX(NOPROC, "noproc")               /* the peer did not exist */                        \
    XX(BAD_RETURN, "bad_return_value") /* a callback answered what is not allowed */       \
    XX(RAISED, "error")                /* a callback raised an error */                    \
    XX(CUSTOM, "custom")               /* whatever a callback chose as its reason */

typedef enum sh_reason {
#define XX(name, text) SH_REASON_##name,
    SH_REASON_MAP(XX)
#undef XX
} sh_reason;

/* "normal", "shutdown" and so on; static. Any thread. */
const char *sh_reason_name(sh_reason kind);

/* An error is immutable once shared, counted atomically, and may cross threads. */
typedef struct sh_error_fields {
    sh_reason kind;
    int code;             /* SH_E* where one fits, else 0                                */
    const char *name;     /* short word, "noproc", "oops"; NULL: sh_reason_name(kind), which
                             is also what sh_error_get() then shows                      */
    const char *message;  /* one sentence for people; may be NULL                        */
    const char *stage;    /* name of the stage it happened in; may be NULL               */
    const char *callback; /* "handle_events" ...; may be NULL                            */
    const char *traceback; /* may be NULL                                                 */
    const void *data;      /* opaque detail of the layer above (an encoded Lua value)     */
    size_t data_len;
} sh_error_fields;

/* Copies all fields. Never NULL, as that would read as "normal": when out of memory it is a
 * shared error with the code SH_ENOMEM. Any thread. */
sh_error *sh_error_new(const sh_error_fields *fields);
/* printf-like short form; code and kind as given. Any thread. */
sh_error *sh_error_fmt(sh_reason kind, int code, const char *name, const char *fmt, ...);
sh_error *sh_error_ref(sh_error *error); /* NULL is allowed and returned */
void sh_error_unref(sh_error *error);    /* NULL is allowed */
/* Borrowed view; for NULL the fields of "normal". */
const sh_error_fields *sh_error_get(const sh_error *error);
/* normal or shutdown: an end that is not a crash. */
bool sh_error_is_clean(const sh_error *error);

/* -------------------------------------------------------------------- events */

/* Something encoded, on its way between workers. The core calls `free` once, after decoding
 * it or instead, on any worker. */
typedef struct sh_parcel {
    void *data;
    size_t len;
    void (*free)(void *data, size_t len); /* NULL: sh_free(data) */
} sh_parcel;

/* A list of events belongs to one worker and is counted without atomics. Who makes a list
 * embeds this struct at its head and fills it with refs = 1. The events themselves are
 * opaque to the core; it only counts, slices and forwards them. */
typedef struct sh_list_ops {
    const char *name;
    /* Last reference dropped. On the owning worker's thread. */
    void (*free)(sh_list *list);
    /* Makes one list of `n_parts` ranges, all of lists with these ops, in order. */
    sh_list *(*concat)(sh_worker *worker, const sh_batch *parts, size_t n_parts);
    /* Encodes a range for another worker. `extra`: options of a subscription, which may
     * hold functions. SH_EFAILED sets *error (owned by the caller), which names the place
     * of the event that can't cross. */
    int (*encode)(sh_worker *worker, const sh_batch *batch, bool extra, sh_parcel *out,
                  sh_error **error);
    /* The reverse, on the target worker. Borrows; returns a new list or NULL with *error.
     */
    sh_list *(*decode)(sh_worker *worker, const sh_parcel *parcel, sh_error **error);
    /* Optional. A message for a dead-letter stage, as a list of one: the list of the letters
     * of `events` (borrowed), each { event =, error =, stage =, deliveries = }. NULL: no
     * memory. Events of a kind without it can't be dead letters. */
    sh_list *(*letters)(sh_worker *worker, const sh_batch *events, const sh_error *error,
                        const char *stage, uint32_t deliveries);
} sh_list_ops;

struct sh_list {
    const sh_list_ops *ops;
    uint32_t n; /* number of events, never changes */
    uint32_t refs;
};

/* A range of a list. By value; an "owned" batch carries one reference of its list. The
 * empty batch is all zero. Message payloads travel as batches of one event. */
struct sh_batch {
    sh_list *list;
    uint32_t first; /* from 0 */
    uint32_t n;
};

/* All on the owning worker's thread. */
sh_batch sh_batch_ref(sh_batch batch); /* another owned batch of the same range */
void sh_batch_unref(sh_batch batch);
/* An owned batch over [first, first + n) of `batch` (relative). Asserts the range. */
sh_batch sh_batch_slice(sh_batch batch, uint32_t first, uint32_t n);

/* Lists of C values, for stages written in C. Strings and nested values are copied in. */
typedef enum sh_type {
    SH_NIL,
    SH_BOOLEAN,
    SH_INTEGER,
    SH_NUMBER,
    SH_STRING,
    SH_POINTER,
    SH_LIST,
    SH_MAP
} sh_type;
typedef struct sh_value {
    sh_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            const char *data;
            size_t len;
        } string;
        struct {
            void *data;
            void (*free)(void *data);
        } pointer; /* moves with the value */
        struct {
            struct sh_value *items;
            size_t n;
        } list;
        struct {
            struct sh_value *items;
            size_t n;
        } map; /* n pairs: key, value, key, ... */
    } u;
} sh_value;

extern const sh_list_ops sh_values_ops;
/* Copies `n` values (deeply; pointers are taken over) into an owned batch. A pointer is
 * freed when the last list or parcel that holds it goes, on whatever worker. SH_ENOMEM.
 * SH_EINVAL: nested more than SH_VALUE_DEPTH deep or too many; the pointers are then still
 * the caller's. */
enum { SH_VALUE_DEPTH = 200 };
int sh_batch_from_values(const sh_value *values, size_t n, sh_batch *out);
/* Borrowed array of batch.n values; NULL if the batch is not a list of C values. */
const sh_value *sh_batch_values(sh_batch batch);

/* Allocation as the library does it: what is handed over with "sh_free'd" comes from here.
 */
void *sh_malloc(size_t size);
void *sh_realloc(void *ptr, size_t size);
void sh_free(void *ptr);

/* -------------------------------------------------------------------- stages */

typedef enum sh_kind { SH_PRODUCER, SH_PRODUCER_CONSUMER, SH_CONSUMER, SH_PROCESS } sh_kind;

typedef enum sh_mode { SH_AUTOMATIC, SH_MANUAL, SH_REDIRECT } sh_mode;
typedef enum sh_demand_mode { SH_DEMAND_FORWARD, SH_DEMAND_ACCUMULATE } sh_demand_mode;
typedef enum sh_cancel {
    SH_CANCEL_PERMANENT,
    SH_CANCEL_TRANSIENT,
    SH_CANCEL_TEMPORARY
} sh_cancel;
typedef enum sh_role { SH_ROLE_PRODUCER, SH_ROLE_CONSUMER } sh_role; /* of the other side */
typedef enum sh_ended { SH_ENDED_CANCEL, SH_ENDED_DOWN } sh_ended;
/* At most `events` in any window of `per_ms` milliseconds, spread evenly over it as far as timers
 * can (in portions of about 1 % of the window, at least 5 ms apart). events 0: no limit. */
typedef struct sh_rate {
    int64_t events;
    uint64_t per_ms;
} sh_rate;
typedef enum sh_keep { SH_KEEP_LAST, SH_KEEP_FIRST } sh_keep;

/* Where an answer goes: the handle_reply of `stage`, with `ref`. All zero: no answer. */
typedef struct sh_from {
    sh_stage *stage;
    uint64_t ref; /* chosen by the asker, unique for it */
} sh_from;

/* What a callback hands back. All zero is "nothing to say". The core takes all of it. */
typedef struct sh_result {
    sh_batch events; /* producers: emit these (owned)                                    */
    sh_batch reply;  /* handle_call: the answer (owned), with has_reply                  */
    bool has_reply;
    bool stop;        /* end the stage, after `events` and `reply`                        */
    bool ignore;      /* init only: do not start, and it is no error                      */
    sh_mode mode;     /* handle_subscribe                                                 */
    sh_error *reason; /* with stop or SH_EFAILED (owned)                                  */
} sh_result;

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

typedef struct sh_subscribe_opts sh_subscribe_opts;

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
     * the notification on to its own consumers. */
    int (*handle_notification)(sh_stage *self, void *state, sh_batch message,
                               sh_subscription *from, sh_result *r);
    /* A stage with handle_exit traps exits: it does not end with the stages it is linked to,
     * nor by sh_stage_exit, but is told. `from` may be NULL: sent by nobody. */
    int (*handle_exit)(sh_stage *self, void *state, sh_stage *from, sh_error *reason,
                       sh_result *r);
    /* A stage that sh_stage_monitor_down watches has ended; the monitor is used up. */
    int (*handle_down)(sh_stage *self, void *state, sh_stage *stage, sh_error *reason,
                       uint64_t ref, sh_result *r);
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
    /* For a start on another worker: turns `arg` (taken, also on failure) into a parcel on
     * the starter's thread; `arg_decode` rebuilds it on the stage's. Both or none (then arg
     * crosses as it is). */
    int (*arg_encode)(sh_worker *worker, void *arg, sh_parcel *out, sh_error **error);
    int (*arg_decode)(sh_worker *worker, const sh_parcel *parcel, void **arg,
                      sh_error **error);
} sh_stage_ops;

typedef struct sh_dispatcher_ops sh_dispatcher_ops;

enum { SH_BUFFER_DEFAULT = 0, SH_BUFFER_INFINITY = -1, SH_BUFFER_NONE = -2 };

/* What follows when handle_events fails. What the callback has changed in its state stays as
 * it is; the batch that it was given counts as handled (it is paid off, and acknowledged)
 * unless the stage stops. */
typedef enum sh_on_error {
    SH_ON_ERROR_STOP,       /* the stage ends with the error as its reason            */
    SH_ON_ERROR_SKIP,       /* the batch is dropped, counted as skipped, and logged   */
    SH_ON_ERROR_RETRY,      /* the same batch is given again, then `after`            */
    SH_ON_ERROR_DEAD_LETTER /* its events go to the dead-letter stage, one letter each */
} sh_on_error;

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

typedef struct sh_stage_opts {
    sh_kind kind;
    const sh_stage_ops *ops; /* borrowed for the life of the host */
    void *arg;               /* for init; taken                    */
    const char *name;        /* unique in the host; NULL: none     */
    const char *label; /* of a stage without a name: what logs call it, behind a "#" and cut
                                to 22 bytes; need not be unique; NULL: its id */
    int worker;        /* 0: the caller's; n > 0: worker n - 1; SH_WORKER_ANY */
    sh_stage *link;    /* a stage of the caller's worker (the caller): linked before init */
    /* Whoever starts it deals with its failures: they are logged, but not among the host's
     * (sh_host_summary.stages_failed, sh_host_first_failure). */
    bool supervised;
    /* producers and producer_consumers */
    const sh_dispatcher_ops *dispatcher; /* NULL: sh_dispatcher_demand             */
    const void *dispatcher_opts; /* as the dispatcher documents; copied by its init */
    int64_t buffer_size;         /* events; SH_BUFFER_DEFAULT: 10000, infinity on a
                                    producer_consumer; SH_BUFFER_NONE: 0   */
    sh_keep buffer_keep;
    bool discard_buffer_when_no_consumers;
    sh_demand_mode demand; /* producers only                          */
    /* Of all it sends; an event that a broadcast sends to many counts once. What exceeds it is not
     * asked of handle_demand, or waits in the buffer. A drain respects it. */
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
    const char *dead_letter_name; /* ... its name; copied                   */
    /* consumers and producer_consumers: started only if all of these are valid */
    const sh_subscribe_opts *subscribe_to;
    size_t n_subscribe_to;
} sh_stage_opts;
enum { SH_WORKER_ANY = -1 };

/* Starts a stage. `from` (optional) is answered when init is through: SH_OK, SH_EIGNORED,
 * or SH_EFAILED with the reason. SH_EBADOPT with *error (owned by the caller; may be NULL)
 * names the option, and nothing is started. On SH_OK *out (may be NULL) is a new reference.
 */
int sh_stage_start(sh_worker *worker, const sh_stage_opts *opts, sh_from from,
                   sh_stage **out, sh_error **error);

/* Sets options from inside `init`, on the stage's worker: everything below `name` and
 * `worker` replaces what sh_stage_start was given. SH_EBADOPT with *error; SH_ESTATE
 * outside init. */
int sh_stage_configure(sh_stage *self, const sh_stage_opts *opts, sh_error **error);

sh_stage *sh_stage_ref(sh_stage *stage);          /* any thread */
void sh_stage_unref(sh_stage *stage);             /* any thread; NULL is allowed */
bool sh_stage_is_alive(const sh_stage *stage);    /* any thread; a moment's truth */
sh_kind sh_stage_kind(const sh_stage *stage);     /* any thread */
uint64_t sh_stage_id(const sh_stage *stage);      /* any thread; unique in the host */
const char *sh_stage_name(const sh_stage *stage); /* any thread; "#label" or "#id" if it has
                                                     none */
unsigned sh_stage_worker_index(const sh_stage *stage); /* any thread */
sh_worker *sh_stage_worker(sh_stage *stage);
/* Its private state. On the stage's worker while it is alive, else NULL. */
void *sh_stage_state(sh_stage *stage);
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

/* Ends the wait of a callback that returned SH_WAIT. Takes the contents of *r; `status` is
 * SH_DONE or SH_EFAILED. On the stage's worker, never from inside one of its callbacks. */
void sh_stage_complete(sh_stage *self, int status, sh_result *r);

/* Messages. Each takes `message` (an owned batch of one). To a dead stage: casts are
 * dropped, requests are answered SH_ENOPROC. Order between two stages is kept. A payload
 * that can't cross to another worker: SH_EFAILED with *error, nothing sent. */
int sh_stage_call(sh_worker *worker, sh_stage *to, sh_batch request, sh_from from,
                  uint64_t timeout_ms /* 0: for ever */, sh_error **error);
int sh_stage_cast(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
int sh_stage_send(sh_worker *worker, sh_stage *to, sh_batch message, sh_error **error);
/* In band, to the stage itself: handle_info after everything it has buffered now. Answered
 * when queued. As GenStage's sync_info/async_info. */
int sh_stage_info(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                  sh_error **error);
/* In band, to every consumer of `to`: never dropped, in order with events. */
int sh_stage_notify(sh_worker *worker, sh_stage *to, sh_batch message, sh_from from,
                    sh_error **error);
/* Answers a call; each `from` once. Takes `value`; with `error` (taken) the answer is
 * SH_EFAILED. */
int sh_reply(sh_worker *worker, sh_from from, sh_batch value, sh_error *failure,
             sh_error **error);

/* Ends a stage in order, after the messages before this one. With a normal reason and consumers, a
 * producer first lets its consumers take what it has buffered or accumulated (it forwards from now
 * on). `reason` is taken; `from` is answered when the stage has ended. */
int sh_stage_stop(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_from from);
/* Ends a producer in order: handle_demand is not called any more, what it has buffered goes
 * out as far as its consumers are there or still to come, then it ends normally. Does not
 * wait; also from its own callbacks. SH_ENOTPRODUCER for other kinds. */
int sh_stage_finish(sh_worker *worker, sh_stage *stage);
/* A failure that `self` was to deal with and did not: counted as the host's, unless `self` is
 * supervised too. `reason` is borrowed and not NULL. On the stage's worker. */
void sh_stage_count_failure(sh_stage *self, sh_error *reason);
/* Ends a stage at once, whatever it is doing, with reason "killed" and no terminate. */
int sh_stage_kill(sh_worker *worker, sh_stage *stage);
/* Answered with the end reason when the stage ends; at once if it has ended. */
int sh_stage_monitor(sh_worker *worker, sh_stage *stage, sh_from from);

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
/* Demand mode of a producer. Answered SH_OK, or SH_ENOTPRODUCER (and logged). */
int sh_stage_set_demand(sh_worker *worker, sh_stage *stage, sh_demand_mode mode,
                        sh_from from);
/* One number about a stage, answered as an integer (a values batch). */
typedef enum sh_query { SH_QUERY_DEMAND_MODE, SH_QUERY_BUFFERED } sh_query;
int sh_stage_query(sh_worker *worker, sh_stage *stage, sh_query what, sh_from from);

/* From its terminate: n events that it took and kept, and that nobody will get now. They are
 * counted as discarded if it ends by its own choice, else as unfinished. On its worker. */
void sh_stage_leave_behind(sh_stage *self, uint64_t n);

/* Timers: `message` (taken) arrives as by sh_stage_send after after_ms, then every every_ms
 * (0: once). Cancelled at the stage's end. On the stage's worker. *id is never 0. */
int sh_timer_start(sh_stage *self, uint64_t after_ms, uint64_t every_ms, sh_batch message,
                   uint64_t *id);
/* A timer that answers handle_reply(ref, SH_ETIMEDOUT) instead: waking a waiting callback.
 */
int sh_timer_wake(sh_stage *self, uint64_t after_ms, uint64_t ref, uint64_t *id);
/* A limit for the wait for an answer: handle_reply(ref, SH_ETIMEDOUT), unless the answer to
 * `ref` comes before. */
int sh_timer_limit(sh_stage *self, uint64_t timeout_ms, uint64_t ref);
/* SH_ENOPROC if there is no such timer (it has fired). */
int sh_timer_cancel(sh_stage *self, uint64_t id);

/* -------------------------------------------------------------------- subscriptions */

/* Decides which events of a broadcast a consumer gets. Must not wait. */
typedef struct sh_selector {
    /* Sets *out (owned) to the chosen events in order. SH_EFAILED sets *error. */
    int (*select)(struct sh_selector *self, sh_worker *worker, sh_batch in, sh_batch *out,
                  sh_error **error);
    void (*free)(struct sh_selector *self);
} sh_selector;

struct sh_subscribe_opts {
    sh_stage *to;        /* the producer, or ...                                       */
    const char *to_name; /* ... its name                                               */
    int64_t max_demand;  /* >= 1; 0: 1000                                              */
    int64_t
        min_demand; /* 0 .. max_demand - 1; SH_MIN_DEFAULT: max_demand / 2; see has_min */
    bool has_min;   /* min_demand is given (0 is a legal value)                   */
    sh_cancel cancel;
    const char *partition; /* partition dispatcher; a number as decimal text; NULL: none */
    /* The producer keeps what it has sent until handle_events of this consumer has returned
     * (on a producer_consumer: until its results are dispatched or buffered). Of a consumer
     * that dies before, the events go back to the head of the producer's buffer, in order,
     * never discarded, and are delivered again. Not with dispatchers that share events. */
    bool ack;
    uint32_t max_deliver; /* with ack: what was given to handle_events so often and never
                             acknowledged becomes a dead letter; 0: 5 */
    sh_selector
        *selector; /* broadcast; set on the producer's worker in handle_subscribe; taken */
    uint32_t weight;  /* fair dispatcher: share of events; 0: 1; up to SH_WEIGHT_MAX */
    int32_t priority; /* fair dispatcher: higher ones are served first           */
    /* Of what is given to handle_events, on the consumer's side; at most max_demand events wait
     * there, the others upstream. A drain respects it. */
    sh_rate rate;
    /* handle_events is given exactly `size` events at a time, <= max_demand and <= rate.events (and
     * not what max_demand - min_demand says). Fewer only `timeout_ms` after the first of them came,
     * and before a notification, the subscription's end, and a drain. Demand is counted by events
     * as ever; it is asked for when less than a batch is outstanding. size 0: none */
    struct {
        int64_t size;
        uint64_t timeout_ms; /* >= 1 */
    } batch;
    uint64_t via; /* id of the stage that has made it, for sh_stage_part(); 0: none.
                     A redirection sets it to the stage that redirected */
    sh_subscription *current; /* resubscribe: cancelled at the producer first            */
    sh_error *current_reason; /* taken                                                   */
    sh_batch extra; /* every option as the user gave it, for handle_subscribe; taken */
};

/* Asks `consumer` to subscribe. `from` is answered SH_OK with the subscription (see
 * sh_reply_subscription) when the request is on its way, not when it was accepted; or
 * SH_EBADOPT / SH_ENOTCONSUMER. An unknown name with cancel permanent or transient ends the
 * consumer with noproc. As GenStage 1.3. Takes what `opts` says it takes. */
int sh_stage_subscribe(sh_worker *worker, sh_stage *consumer, const sh_subscribe_opts *opts,
                       sh_from from, sh_error **error);
/* The subscription that the answer of sh_stage_subscribe carries: a new reference, or NULL.
 */
sh_subscription *sh_reply_subscription(sh_batch value);

sh_subscription *sh_subscription_ref(sh_subscription *sub);     /* any thread */
void sh_subscription_unref(sh_subscription *sub);               /* any thread */
uint64_t sh_subscription_id(const sh_subscription *sub);        /* any thread */
sh_stage *sh_subscription_consumer(const sh_subscription *sub); /* borrowed; any thread */
sh_stage *sh_subscription_producer(const sh_subscription *sub); /* borrowed; any thread */
/* Asks the producer for n > 0 more events; for subscriptions in manual mode. Any worker. */
int sh_subscription_ask(sh_worker *worker, sh_subscription *sub, int64_t n);
/* Asks the producer to cancel; both sides get handle_cancel. Takes `reason`. Any worker. */
int sh_subscription_cancel(sh_worker *worker, sh_subscription *sub, sh_error *reason);
/* Run-time control on the consumer's side; any worker. All take effect when the request arrives
 * at the consumer, not in its turn: at once when the consumer is on the caller's worker. They do
 * nothing to a subscription that has ended.
 *
 * pause: no more asks are sent, and what comes from the producer (events, notifications, its end)
 * waits, in order, until resume; the consumer's other subscriptions go on. At most what was asked
 * for before can come. A batch that handle_events has begun is handled. A consumer that ends in
 * order, and one that the host drains, resumes and can't be paused any more; events that wait when
 * it ends otherwise are counted like those of its mailbox. sh_subscription_ask is not held back. */
int sh_subscription_pause(sh_worker *worker, sh_subscription *sub);
/* What has waited is handled first; asks that it earned meanwhile are sent. */
int sh_subscription_resume(sh_worker *worker, sh_subscription *sub);
/* Leaves the producer; never ends the consumer, whatever the cancel mode. Resumes; asks for
 * nothing more; events sent before are still handled, then both sides get handle_cancel with
 * `reason` (taken). */
int sh_subscription_unsubscribe(sh_worker *worker, sh_subscription *sub, sh_error *reason);
/* How often the batch that the consumer's handle_events has in hands was given to a callback,
 * this time included: more than 1 when it is tried again (on_error) or delivered again (ack).
 * 0 while it handles none of this subscription. On the consumer's worker. */
uint32_t sh_subscription_deliveries(const sh_subscription *sub);
/* Unsubscribes `consumer` from `producer`, where `via` has made the subscription. In turn with
 * other messages from the same sender. Takes `reason`. Any worker. */
int sh_stage_part(sh_worker *worker, sh_stage *consumer, sh_stage *producer, uint64_t via,
                  sh_error *reason);
/* A slot for a binding's own object, one for each side. On the worker of that side. */
void **sh_subscription_slot(sh_subscription *sub, sh_role side);

/* -------------------------------------------------------------------- dispatchers */

/* An in-band message on its way through buffer and partition queues. */
typedef struct sh_marker sh_marker;

/* Events that came back from a consumer that did not acknowledge them. */
typedef struct sh_returned {
    sh_batch events;   /* owned */
    uint32_t delivery; /* the number of their next delivery, from 1 */
} sh_returned;

/* Given to a dispatcher's callbacks; its functions may only be called from inside them. */
struct sh_dispatch {
    sh_worker *worker;
    uint32_t delivery; /* of what send() is given: set by who hands out returned events, and
                          back to 0, which is: they were never sent */
    int64_t
        owed; /* dispatch: how many of the events answer demand already handed upstream */
    /* Sends events to one consumer as one message. Takes one reference of `batch`. */
    void (*send)(sh_dispatch *out, sh_subscription *to, sh_batch batch);
    /* Sends a notification marker to one consumer. Borrows. */
    void (*notify)(sh_dispatch *out, sh_subscription *to, sh_marker *marker);
    /* Every queue has let this marker pass. Takes it. */
    void (*release)(sh_dispatch *out, sh_marker *marker);
    /* Ends one subscription with an error (taken), after the current callback. */
    void (*fail)(sh_dispatch *out, sh_subscription *sub, sh_error *error);
    /* n events go to nobody: hashed to "none" (error NULL) or bad (error taken, logged). */
    void (*skip)(sh_dispatch *out, uint32_t n, sh_error *error);
    /* The same for bad events that are at hand: dead letters, if the producer has a
     * dead-letter stage. Takes both. */
    void (*refuse)(sh_dispatch *out, sh_batch events, sh_error *error);
    /* n events were dropped because a queue of the dispatcher, of this size, is full: as if it
     * were the stage's buffer. */
    void (*discard)(sh_dispatch *out, uint64_t n, int64_t size);
    /* ask: n is above the dispatcher's max_demand. It is granted all the same; logged. */
    void (*warn)(sh_dispatch *out, sh_subscription *sub, int64_t n, int64_t max);
};

typedef enum sh_held {
    SH_HELD_ALL,
    SH_HELD_EXPECTED, /* for a present subscriber, or one that has never been there yet */
    SH_HELD_PRESENT,  /* for a present subscriber */
} sh_held;

/* A dispatcher spreads a producer's events over its consumers. It is a pure state machine:
 * it neither waits nor calls libuv. Demand is kept by the core: after every callback it
 * sends what is buffered as far as credit() goes, then asks handle_demand for what is still
 * missing and not already owed. */
struct sh_dispatcher_ops {
    const char *name;
    size_t size; /* of its state, zeroed */
    /* SH_EBADOPT sets *error. */
    int (*init)(void *state, const void *opts, uint64_t seed, sh_error **error);
    void (*fini)(void *state); /* all subscriptions have been cancelled before */
    /* SH_EFAILED with *error refuses: that subscription alone is cancelled with it. */
    int (*subscribe)(void *state, sh_subscription *sub, sh_subscribe_opts *opts,
                     sh_error **error);
    /* Forgets `sub`; never sends to it again. */
    void (*cancel)(void *state, sh_subscription *sub, sh_dispatch *out);
    void (*ask)(void *state, sh_subscription *sub, int64_t n, sh_dispatch *out);
    /* How many events dispatch() would take now, whoever gets them. >= 0. */
    int64_t (*credit)(const void *state);
    /* Sends events of `batch` from its head; returns how many were taken, the rest is
     * buffered. The batch stays the caller's (send slices or references of it).
     * A negative result with *error ends the producer. */
    int64_t (*dispatch)(void *state, sh_batch batch, sh_dispatch *out, sh_error **error);
    /* Optional. Passes a marker on, now or behind queued events; owns it until release().
     * SH_ENOMEM: nothing was passed on, and the marker is still the caller's. */
    int (*mark)(void *state, sh_marker *marker, sh_dispatch *out);
    /* Optional. Events taken by dispatch() but not sent yet: all, or only those that
     * somebody can still ask for. */
    int64_t (*held)(const void *state, sh_held which);
    /* dispatch() takes what is owed even without credit, into queues of its own: so a producer that ends
     * hands all it has on to them. */
    bool takes_owed;
    /* Optional. The partition that a subscription takes, as sh_stage_each_demand tells. */
    const char *(*partition_of)(const void *state, sh_subscription *sub);
    /* Every event goes to several consumers: there is no acknowledgement. */
    bool shares_events;
    /* Optional, both or none: dispatchers with queues of their own. `place` tells the queue
     * of a subscription's events; give_back takes n parts to its head, before whatever is in
     * it, and sends them to who has asked already. SH_ENOMEM: nothing was taken. */
    void *(*place)(const void *state, sh_subscription *sub);
    int (*give_back)(void *state, void *place, const sh_returned *parts, uint32_t n,
                     sh_dispatch *out);
};

/* A word for the dispatcher to keep its record of a subscription in. */
void **sh_subscription_dispatch_data(sh_subscription *sub);
bool sh_marker_is_notification(const sh_marker *marker);

/* Largest demand first; opts: sh_demand_opts or NULL. As GenStage.DemandDispatcher. */
extern const sh_dispatcher_ops sh_dispatcher_demand;
typedef struct sh_demand_opts {
    int64_t max_demand; /* asks above it are logged; 0: the first ask's size */
    bool shuffle_demands_on_first_dispatch;
} sh_demand_opts;

/* Each dispatch shared out over all consumers that have asked: by priority, highest first,
 * within it proportionally to weight, never more than was asked for (sh_subscribe_opts).
 * Each gets one message of consecutive events; what rounding takes or gives evens out over
 * later dispatches. No opts. */
extern const sh_dispatcher_ops sh_dispatcher_fair;
enum { SH_WEIGHT_MAX = 1000000 };

/* Everything to everybody, at the pace of the slowest. As GenStage.BroadcastDispatcher. */
extern const sh_dispatcher_ops sh_dispatcher_broadcast;

/* The same with a memory; opts: sh_replay_opts. A late subscriber first gets the last n events that
 * were broadcast before it came, through its selector, in order: they use up its demand. Only
 * when it has them does its demand count for the broadcast, which waits for it until then, as for
 * any newcomer that has not asked. Notifications are not replayed. */
extern const sh_dispatcher_ops sh_dispatcher_replay;
typedef struct sh_replay_opts {
    int64_t n; /* >= 1 */
} sh_replay_opts;

/* Splits events by hash; one consumer a partition, or a group of them, of which the one with
 * the largest demand goes first. As GenStage.PartitionDispatcher. What a partition's
 * consumers have not asked for is queued for them. Queued events count against the demand of
 * other partitions, so a partition nobody asks for ends up holding up the others; `limit`
 * events a partition don't. */
extern const sh_dispatcher_ops sh_dispatcher_partition;
typedef struct sh_splitter {
    /* Distributes events of `in` from its head over parts[0 .. n_parts): the events of
     * partition p in order as parts[p] (owned; empty if none). Stops when `limit` events
     * went to a partition. *taken: events used up; *skipped: of these, to "none". A bad
     * answer for an event counts it as skipped, and in *bad, with the first such error in
     * *error. Must not wait. Returns SH_OK, or SH_EFAILED with *error when nothing could be
     * done at all. */
    int (*split)(struct sh_splitter *self, sh_worker *worker, sh_batch in, uint32_t limit,
                 sh_batch *parts, size_t n_parts, uint32_t *taken, uint32_t *skipped,
                 uint32_t *bad, sh_error **error);
    /* Optional. The bad events of the last split, in order, once; owned by the caller. */
    sh_batch (*refused)(struct sh_splitter *self);
    void (*free)(struct sh_splitter *self);
} sh_splitter;
/* Hashes C values by structure (1 and 1.0 are equal) modulo the number of partitions. Other
 * lists are refused with the name "hash_required". NULL when out of memory. For one
 * producer. */
sh_splitter *sh_splitter_default(void);
typedef struct sh_partition_opts {
    const char *const *names; /* partition names in order, "0".."n-1" for a count */
    size_t n;
    sh_splitter *splitter; /* taken; also when init fails; NULL: sh_splitter_default() */
    bool groups;           /* a partition may have several consumers */
    int64_t limit; /* events that may be queued for a partition without holding up others */
    bool discards; /* what is above the limit is discarded instead of holding up others */
    sh_keep keep;  /* ... of these */
} sh_partition_opts;

/* -------------------------------------------------------------------- counters */

typedef struct sh_stage_stats {
    uint64_t events_in, events_out;     /* given to handle_events; sent to consumers    */
    uint64_t messages_in, messages_out; /* of any kind                                  */
    uint64_t asks_in, asks_out;         /* ask messages                                 */
    uint64_t demand_in, demand_out;     /* events asked by consumers / of producers     */
    uint64_t discarded_full;            /* by the buffer's size                         */
    uint64_t discarded_no_consumers;    /* discard_buffer_when_no_consumers             */
    uint64_t discarded_none;            /* hashed to "none" or refused by the hash      */
    uint64_t discarded_stopped;         /* queued for a consumer that chose to stop     */
    uint64_t unfinished;                /* accepted, neither handed on nor discarded    */
    uint64_t skipped;                   /* of batches that failed: on_error = skip      */
    uint64_t dead_lettered;             /* sent to the dead-letter stage                */
    uint64_t redelivered; /* came back unacknowledged, to be delivered again: all that
                             it ever sent is events_out - redelivered                   */
    uint64_t callbacks, callback_ns; /* number of, time in (user time of waits excluded) */
    int64_t demand_owed;             /* asked of handle_demand, not answered yet     */
    int64_t unacknowledged;          /* sent with ack, and not handled yet                */
    int64_t buffered, queued; /* events in the buffer; in its input queue and mailbox */
    uint32_t consumers, producers; /* subscriptions now                            */
} sh_stage_stats;

typedef struct sh_subscription_stats {
    uint64_t events, messages, asks; /* seen on this side */
    int64_t outstanding;             /* asked and not yet delivered */
} sh_subscription_stats;

/* On the stage's worker. Works for an ended stage that is still referenced. */
void sh_stage_get_stats(const sh_stage *stage, sh_stage_stats *out);
/* For the ledger: `events` that this stage had handed on, to something that the engine does not
 * know of, were not dealt with. `where` is told in the report; a string that stays. On the
 * stage's worker. */
void sh_stage_lose(sh_stage *stage, uint64_t events, const char *where);
/* `side`: whose counters. On that side's worker; zeros if the subscription is closed there.
 */
void sh_subscription_get_stats(const sh_subscription *sub, sh_role side,
                               sh_subscription_stats *out);
/* Calls `each` for every subscription of the stage; side: role of the other stage. */
void sh_stage_each_subscription(sh_stage *stage, sh_role other,
                                void (*each)(void *data, sh_subscription *sub), void *data);

/* Calls `each` for every subscription of a producer with demand > 0 that has been asked for and not
 * sent yet, in order of subscription: all of what it waits for, also what handle_demand was told of before.
 * partition: which one it takes, at a partition dispatcher, else NULL; borrowed. On its worker,
 * from handle_demand above all. */
void sh_stage_each_demand(sh_stage *stage,
                          void (*each)(void *data, sh_subscription *sub, int64_t demand,
                                       const char *partition),
                          void *data);

/* -------------------------------------------------------------------- the host */

typedef enum sh_log_level {
    SH_LOG_OFF,
    SH_LOG_ERROR,
    SH_LOG_WARN,
    SH_LOG_INFO,
    SH_LOG_DEBUG,
    SH_LOG_TRACE
} sh_log_level;

#define SH_LOG_MAP(XX)                                                                     \
    XX(STAGE_ENDED, "stage_ended") /* ended with an unclean reason */                      \
    XX(DISCARDED, "discarded")     /* a buffer was full */                                 \
    XX(EXCESS, "excess")           /* more events than asked for */                        \
    XX(MAX_DEMAND_MISMATCH, "max_demand_mismatch")                                         \
    XX(DUPLICATED_SUBSCRIPTION, "duplicated_subscription")                                 \
    XX(CONSUMER_CANNOT_DISPATCH, "consumer_cannot_dispatch")                               \
    XX(NOT_A_PRODUCER, "not_a_producer")                                                   \
    XX(NOT_A_CONSUMER, "not_a_consumer")                                                   \
    XX(NOT_ALIVE, "not_alive") /* subscribing to an unknown name */                        \
    XX(INVALID_OPTION, "invalid_option")                                                   \
    XX(DEMAND_MODE_NOT_PRODUCER, "demand_mode_not_producer")                               \
    XX(BUFFERED_NOT_PRODUCER, "buffered_not_producer")                                     \
    XX(PRODUCER_CANNOT_SUBSCRIBE, "producer_cannot_subscribe")                             \
    XX(STOPPING_AFTER_CANCEL, "stopping_after_cancel")                                     \
    XX(ALREADY_SUBSCRIBED, "already_subscribed")                                           \
    XX(SUBSCRIPTION_REFUSED, "subscription_refused")                                       \
    XX(BAD_EVENT, "bad_event")     /* a hash refused an event */                           \
    XX(SKIPPED, "skipped")         /* a batch that failed was dropped */                   \
    XX(RETRY, "retry")             /* a batch that failed will be given again */           \
    XX(DEAD_LETTER, "dead_letter") /* events went there, or could not */                   \
    XX(MAX_DELIVER, "max_deliver") /* delivered so often, and never acknowledged */        \
    XX(UNHANDLED_INFO, "unhandled_info")                                                   \
    XX(UNFINISHED, "unfinished") /* events left at a stage's end */                        \
    XX(START_FAILED, "start_failed")                                                       \
    XX(CHILD_START_FAILED, "child_start_failed")       /* by a supervisor */               \
    XX(MAX_RESTART_INTENSITY, "max_restart_intensity") /* a supervisor gives up */         \
    XX(USER, "log")                                    /* sh_log */

typedef enum sh_log_code {
#define XX(name, text) SH_LOG_##name,
    SH_LOG_MAP(XX)
#undef XX
} sh_log_code;
const char *sh_log_code_name(sh_log_code code);

typedef struct sh_log_record {
    sh_log_level level;
    sh_log_code code;
    const char *stage; /* name, or NULL */
    const char *message;
    const sh_error *error; /* or NULL */
} sh_log_record;
/* Called on the worker that logs, one call at a time (under the host's log lock). */
typedef void (*sh_log_fn)(void *data, const sh_log_record *record);
void sh_log(sh_worker *worker, sh_log_level level, const char *stage, const char *fmt, ...);
/* The same with a code of the map: for parts of a binding that extend the engine, such as its
 * supervisors. */
void sh_log_as(sh_worker *worker, sh_log_level level, sh_log_code code, const char *stage,
               const char *fmt, ...);

/* Hooks of a binding: called on the worker's own thread, before its first and after its
 * last stage. `open` failing makes starts on that worker fail with SH_EFAILED and its
 * *error. */
typedef struct sh_worker_hooks {
    int (*open)(sh_worker *worker, void *data, sh_error **error);
    void (*close)(sh_worker *worker, void *data);
    void *data;
} sh_worker_hooks;

/* Called on worker 0's thread when a stage has failed, and whenever a process ends after that. */
typedef void (*sh_failure_fn)(void *data);

typedef struct sh_host_opts {
    unsigned workers;       /* 0: number of CPUs this process may use */
    bool seeded;            /* one worker, run queue shuffled by `seed`: for tests */
    uint64_t seed;          /* also feeds shuffles; 0 and not seeded: from the clock */
    struct uv_loop_s *loop; /* worker 0's loop; borrowed; NULL: the host makes one */
    sh_worker_hooks hooks;
    sh_log_fn log;
    void *log_data;
    sh_log_level log_level;   /* SH_LOG_OFF: nothing reaches `log` */
    sh_failure_fn on_failure; /* e.g. to drain what a failure has left without purpose */
    void *failure_data;
} sh_host_opts;

/* Made on the thread that will run it. *out on SH_OK. */
int sh_host_new(const sh_host_opts *opts, sh_host **out);
/* Worker 0, for starting the first stages before sh_host_run(). */
sh_worker *sh_host_worker0(sh_host *host);
/* Runs worker 0 on this thread until no stage is alive; starts and joins the other workers.
 * Returns SH_OK. May be called again after more stages were started. */
int sh_host_run(sh_host *host);
/* Ends all producers in order (see sh_stage_stop), then what depends on them, then the
 * rest, with reason "shutdown"; after timeout_ms (0: never) whatever is left is killed.
 * Once; worker 0. */
int sh_host_drain(sh_host *host, uint64_t timeout_ms);
/* Kills every stage. Worker 0's thread. */
void sh_host_stop(sh_host *host);
/* Has every worker log one line for each of its stages at SH_LOG_INFO: kind, demand owed,
 * events buffered and queued, consumers and producers, last error. Returns at once; other
 * workers log when they get to it. Worker 0's thread, while the host runs. */
void sh_host_dump(sh_host *host);
/* Whether a drain is going on. Any thread. */
bool sh_host_is_draining(const sh_host *host);
/* Frees everything; not while running. Kills what is alive first. */
void sh_host_free(sh_host *host);

/* What the host knows at its end, or now (worker 0's thread, exact when nothing runs). */
typedef struct sh_host_summary {
    uint64_t stages_started, stages_failed; /* failed: ended by an error or custom reason */
    uint64_t discarded, unfinished;         /* events, over all stages */
    uint64_t skipped, dead_lettered, redelivered;
    bool killed; /* a drain was cut short, or sh_host_stop */
} sh_host_summary;
void sh_host_get_summary(const sh_host *host, sh_host_summary *out);
/* One call for each stage that ended with unfinished events. */
void sh_host_each_unfinished(const sh_host *host,
                             void (*each)(void *data, const char *stage, uint64_t events,
                                          const char *where),
                             void *data);
/* What a script wants the process to answer, for the command or an embedder to use:
 * replaces what the ledger would give. -1: nothing was set. Any thread. */
void sh_host_set_exit_status(sh_host *host, int status);
int sh_host_exit_status(const sh_host *host);
/* First unclean end of a stage, borrowed until the host is freed; NULL: none. */
const sh_error *sh_host_first_failure(const sh_host *host);

sh_host *sh_worker_host(sh_worker *worker);
unsigned sh_worker_index(const sh_worker *worker);
unsigned sh_host_workers(const sh_host *host);
struct uv_loop_s *sh_worker_loop(sh_worker *worker);
/* The binding's own pointer of a worker. */
void **sh_worker_slot(sh_worker *worker);
/* Calls `each` for every stage of the worker, in order of start. The callback must not end
 * any. */
void sh_worker_each_stage(sh_worker *worker, void (*each)(void *data, sh_stage *stage),
                          void *data);

#ifdef __cplusplus
}
#endif
#endif

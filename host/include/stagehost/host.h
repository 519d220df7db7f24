/* SPDX-License-Identifier: MIT
 *
 * The host: logs, hooks, running and draining, its summary, and its workers. */
#ifndef STAGEHOST_HOST_H
#define STAGEHOST_HOST_H

#include "stagehost/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- logs ------------------------------------------------------------------------------ */

typedef enum sh_log_level {
    SH_LOG_OFF,
    SH_LOG_ERROR,
    SH_LOG_WARN,
    SH_LOG_INFO,
    SH_LOG_DEBUG,
    SH_LOG_TRACE
} sh_log_level;

/* clang-format off */
#define SH_LOG_MAP(XX)                                                                     \
    XX(STAGE_ENDED, "stage_ended")   /* ended with an unclean reason */                    \
    XX(FAILED, "failed")             /* something that belongs to no stage */              \
    XX(DISCARDED, "discarded")       /* a buffer was full */                               \
    XX(BUFFER_FULL, "buffer_full")   /* a buffer begins to drop events, or has stopped */  \
    XX(EXCESS, "excess")             /* more events than asked for */                      \
    XX(MAX_DEMAND_MISMATCH, "max_demand_mismatch")                                         \
    XX(DUPLICATED_SUBSCRIPTION, "duplicated_subscription")                                 \
    XX(CONSUMER_CANNOT_DISPATCH, "consumer_cannot_dispatch")                               \
    XX(NOT_A_PRODUCER, "not_a_producer")                                                   \
    XX(NOT_A_CONSUMER, "not_a_consumer")                                                   \
    XX(NOT_ALIVE, "not_alive")       /* subscribing to an unknown name */                  \
    XX(INVALID_OPTION, "invalid_option")                                                   \
    XX(DEMAND_MODE_NOT_PRODUCER, "demand_mode_not_producer")                               \
    XX(BUFFERED_NOT_PRODUCER, "buffered_not_producer")                                     \
    XX(PRODUCER_CANNOT_SUBSCRIBE, "producer_cannot_subscribe")                             \
    XX(STOPPING_AFTER_CANCEL, "stopping_after_cancel")                                     \
    XX(ALREADY_SUBSCRIBED, "already_subscribed")                                           \
    XX(SUBSCRIPTION_REFUSED, "subscription_refused")                                       \
    XX(BAD_EVENT, "bad_event")       /* a hash refused an event */                         \
    XX(SKIPPED, "skipped")           /* a batch that failed was dropped */                 \
    XX(RETRY, "retry")               /* a batch that failed will be tried again */         \
    XX(DEAD_LETTER, "dead_letter")   /* events became dead letters, or could not */        \
    XX(MAX_DELIVER, "max_deliver")   /* events reached max_deliver unacknowledged */       \
    XX(UNHANDLED_INFO, "unhandled_info")                                                   \
    XX(UNFINISHED, "unfinished")     /* events left at a stage's end */                    \
    XX(START_FAILED, "start_failed")                                                       \
    XX(CHILD_START_FAILED, "child_start_failed") /* by a supervisor */                     \
    XX(MAX_RESTART_INTENSITY, "max_restart_intensity") /* a supervisor gives up */         \
    XX(USER, "log")                  /* sh_log */
/* clang-format on */

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
/* Called on the logging worker's thread, one call at a time (under the host's log lock). */
typedef void (*sh_log_fn)(void *data, const sh_log_record *record);
void sh_log(sh_worker *worker, sh_log_level level, const char *stage, const char *fmt, ...);
/* Logs with a code of the map: for parts of a binding that extend the engine, such as its
 * supervisors. */
void sh_log_as(sh_worker *worker, sh_log_level level, sh_log_code code, const char *stage,
               const char *fmt, ...);

/* -- the host -------------------------------------------------------------------------- */

struct uv_loop_s;

/* Hooks of a binding: called on the worker's own thread, before its first and after its
 * last stage. If `open` fails, starts on that worker fail with SH_EFAILED and its *error. */
typedef struct sh_worker_hooks {
    int (*open)(sh_worker *worker, void *data, sh_error **error);
    void (*close)(sh_worker *worker, void *data);
    void *data;
} sh_worker_hooks;

/* Called on worker 0's thread when a stage has failed, and whenever a process ends after that. */
typedef void (*sh_failure_fn)(void *data);

typedef struct sh_host_opts {
    unsigned workers; /* 0: number of CPUs this process may use */
    bool seeded;      /* one worker, run queue shuffled by `seed`: for tests */
    uint64_t seed;    /* also feeds shuffles; 0 and not seeded: from the clock */
    /* One worker, and a clock that stands still while stages have something to do, or wait for a
     * request of libuv or a child process; else it leaps to the next moment for which anything has
     * been set: a timer, the end of a sleep, of a call's time or of a rate's window. For tests. It
     * begins at one second. Stages that never come to rest move it on by 1 ms for every 1024 of
     * their turns. Handles of libuv that wait for input do not hold it, and timers of libuv's own
     * know nothing of it. */
    bool virtual_clock;
    struct uv_loop_s *loop; /* worker 0's loop; borrowed; NULL: the host makes one */
    sh_worker_hooks hooks;
    sh_log_fn log;
    void *log_data;
    sh_log_level log_level;   /* SH_LOG_OFF: nothing reaches `log` */
    int64_t max_demand;       /* see sh_host_set_max_demand; 0: SH_MAX_DEMAND_DEFAULT */
    sh_failure_fn on_failure; /* e.g. to drain stages that have lost their purpose */
    void *failure_data;
    uint64_t drain_timeout_ms; /* of the drain that sh_host_decline begins; 0: never */
    /* With virtual_clock: called on worker 0's thread when stages are alive, nothing can run, and
     * neither a timer nor a handle of the loop could change that; again after something has run.
     * Another thread still can (sh_inlet_push, sh_host_drain). NULL: the host waits. */
    void (*on_stall)(void *data);
    void *stall_data;
} sh_host_opts;

/* Makes a host, on the thread that will run it. SH_OK sets *out. */
int sh_host_new(const sh_host_opts *opts, sh_host **out);
/* Worker 0, for starting the first stages before sh_host_run(). */
sh_worker *sh_host_worker0(sh_host *host);
unsigned sh_host_workers(const sh_host *host); /* how many there are */
/* Runs worker 0 on this thread until no stage is alive; starts and joins the other workers.
 * Returns SH_OK; SH_ESTATE: the host is attached. May be called again after more stages were
 * started. Not from inside a callback of worker 0's loop: see sh_host_attach. */
int sh_host_run(sh_host *host);
/* In place of sh_host_run, for an application that runs its loop itself (sh_host_opts.loop):
 * from now on worker 0's stages run in that loop, whenever it runs, and the loop does not end
 * before they have. `on_end` (may be NULL) is called once, from the loop, when no stage is
 * alive any more; for stages that are started after that the host is attached anew. The host
 * may be freed after on_end, but not from inside it, nor from another callback of the loop.
 * Returns at once. SH_ESTATE: the host has a loop of its own, or is attached. The thread of
 * the loop. */
int sh_host_attach(sh_host *host, void (*on_end)(void *data), void *data);
/* Ends all producers gracefully (see sh_stage_stop), then the stages that depend on them, then the
 * rest, with reason "shutdown"; after timeout_ms (0: never) the stages left are killed. Processes
 * that are putting stages together finish that first (sh_stage_builds). The first call counts;
 * another one makes the drain begin at once, and returns SH_ESTATE. Any thread. */
int sh_host_drain(sh_host *host, uint64_t timeout_ms);
/* Kills every stage. Any thread. */
void sh_host_stop(sh_host *host);
/* Ends the program at its own request: sets the exit status and kills every stage, which is no
 * failure; events left count as unfinished. The first call counts. Any thread. */
void sh_host_exit(sh_host *host, int status);
/* Called when the output of the program is not wanted any more: drains, and events that are left
 * from now on count as declined. Any thread. */
void sh_host_decline(sh_host *host);
/* Has every worker log one line for each of its stages at SH_LOG_INFO: kind, demand owed,
 * events buffered and queued, consumers and producers, last error. Returns at once; other
 * workers log later. Worker 0's thread, while the host runs. */
void sh_host_dump(sh_host *host);
/* Sets the max_demand, >= 1, of subscriptions made from now on that do not give one, nor do
 * their consumers. Any thread. */
void sh_host_set_max_demand(sh_host *host, int64_t max_demand);
int64_t sh_host_max_demand(const sh_host *host);
/* The host's clock in nanoseconds, from some moment on. Any thread. */
uint64_t sh_host_now(const sh_host *host);
bool sh_host_has_virtual_clock(const sh_host *host); /* see sh_host_opts */
/* Whether a drain is going on. Any thread. */
bool sh_host_is_draining(const sh_host *host);
/* Whether the host was told to end at once (sh_host_stop, sh_host_exit, the end of a drain). Any
 * thread. */
bool sh_host_is_stopping(const sh_host *host);
/* Frees everything; not while running. Kills stages that are alive first. */
void sh_host_free(sh_host *host);

/* -- callbacks that do not return ------------------------------------------------------ */

/* A callback, or other code of a program, that a worker is running. Longer texts are cut. */
typedef struct sh_busy {
    unsigned worker;
    char stage[96];    /* its name; "": the code belongs to no stage */
    char callback[48]; /* "handle_events", or the name given to sh_worker_begins */
    char place[96];    /* its place, from sh_stage_ops.locate; "": unknown */
    uint64_t ms;       /* for how long it has run */
    uint64_t run;      /* distinguishes it from later code of the worker */
} sh_busy;
/* Calls `each` for all code that has run for at least least_ms without returning or waiting; this
 * needs no help of its worker. Any thread, while the host runs. */
void sh_host_each_busy(sh_host *host, uint64_t least_ms,
                       void (*each)(void *data, const sh_busy *busy), void *data);
/* Sets *out to the code that this worker runs; false: it runs none. On its thread. */
bool sh_worker_get_busy(sh_worker *worker, sh_busy *out);
/* "handle_events (stuck.lua:4) for 5.5 s on worker 1", cut to `size`. Any thread. */
void sh_busy_text(const sh_busy *busy, char *out, size_t size);
/* Sends a signal, for which the caller has a handler, to the thread that still runs `busy`. False:
 * the code does not run any more. Any thread. */
bool sh_host_interrupt(sh_host *host, const sh_busy *busy, int signal);
/* Whether all stages left are on workers that run code: for all others the summary is exact. Any
 * thread. */
bool sh_host_is_only_busy(sh_host *host);
/* For a binding: tells that code of a program runs outside a stage's callback, until
 * sh_worker_ends. `what` names it ("a callback of luv") and must outlive the host. False: it is
 * part of code that runs already, and is not to be ended. On the worker's thread. */
bool sh_worker_begins(sh_worker *worker, const char *what);
void sh_worker_ends(sh_worker *worker);

/* -- the summary ----------------------------------------------------------------------- */

/* What the host has counted so far (worker 0's thread; exact when nothing runs). */
typedef struct sh_host_summary {
    /* Failed: ended by an error or custom reason; failures given to sh_worker_fail included. */
    uint64_t stages_started, stages_failed;
    uint64_t discarded, unfinished; /* events, over all stages */
    /* Left by consumers that chose to end, and wanted by no other; or sh_host_decline. */
    uint64_t declined;
    uint64_t skipped, dead_lettered, redelivered;
    int64_t combined; /* events that combiners took, less those they made of them */
    bool killed;      /* a drain was cut short, or sh_host_stop */
    bool exited;      /* sh_host_exit came before that */
} sh_host_summary;
void sh_host_get_summary(const sh_host *host, sh_host_summary *out);
/* One call for each stage that ended with unfinished events. */
void sh_host_each_unfinished(const sh_host *host,
                             void (*each)(void *data, const char *stage, uint64_t events,
                                          const char *where),
                             void *data);
/* What crossed between workers, from stages of one name to stages of another, while they ran. */
typedef struct sh_crossing {
    const char *producer, *consumer;
    uint64_t events, bytes;            /* events, and the bytes that carried them */
    uint64_t encode_ns, decode_ns;     /* the time that took */
    uint64_t producer_ns, consumer_ns; /* the time that these stages spent in callbacks */
} sh_crossing;
/* One call for each pair of names whose subscriptions, which have ended, had events that crossed;
 * the names are borrowed until the host is freed. With many names, some are "(others)". Worker 0's
 * thread, when nothing runs. */
void sh_host_each_crossing(const sh_host *host,
                           void (*each)(void *data, const sh_crossing *crossing),
                           void *data);
/* The exit status that a script wants, for the command or an embedder to use instead of the
 * one that follows from the ledger. -1: none was set. Any thread. */
void sh_host_set_exit_status(sh_host *host, int status);
int sh_host_exit_status(const sh_host *host);
/* The first unclean end of a stage, borrowed until the host is freed; NULL: none. */
const sh_error *sh_host_first_failure(const sh_host *host);

/* Logs a failure that belongs to no stage, such as that of a callback of the event loop, and
 * counts it with the stages that have failed. `error` is borrowed and not NULL. On the worker's
 * thread. */
void sh_worker_fail(sh_worker *worker, sh_error *error);

/* -- workers --------------------------------------------------------------------------- */

sh_host *sh_worker_host(sh_worker *worker);
unsigned sh_worker_index(const sh_worker *worker);
struct uv_loop_s *sh_worker_loop(sh_worker *worker);
/* The binding's own pointer of a worker. */
void **sh_worker_slot(sh_worker *worker);
/* Calls `each` for every stage of the worker, in order of start. `each` must not end a stage. */
void sh_worker_each_stage(sh_worker *worker, void (*each)(void *data, sh_stage *stage),
                          void *data);

#ifdef __cplusplus
}
#endif
#endif

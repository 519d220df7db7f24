/* SPDX-License-Identifier: MIT
 *
 * What all other headers use: the names of the types, result codes, errors, allocation. */
#ifndef STAGEHOST_BASE_H
#define STAGEHOST_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
typedef struct sh_host sh_host;                     /* the runtime: workers, names, end state   */
typedef struct sh_worker sh_worker;                 /* one thread: loop, run queue, its stages  */
typedef struct sh_stage sh_stage;                   /* shared handle of one stage               */
typedef struct sh_subscription sh_subscription;     /* shared handle: a consumer at a producer  */
typedef struct sh_error sh_error;                   /* why something ended or failed            */
typedef struct sh_list sh_list;                     /* an immutable list of events              */
typedef struct sh_batch sh_batch;                   /* a range of a list                        */
typedef struct sh_subscribe_opts sh_subscribe_opts; /* see subscription.h                       */
typedef struct sh_dispatcher_ops sh_dispatcher_ops; /* see dispatcher.h                         */
/* clang-format on */

/* -- result codes ---------------------------------------------------------------------- */

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
    XX(EIGNORED, -10, "init returned ignore")                                              \
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

/* -- errors ---------------------------------------------------------------------------- */

/* Why a stage ended. SH_REASON_NORMAL is written as a NULL sh_error. */
/* clang-format off */
#define SH_REASON_MAP(XX)                                                                  \
    XX(NORMAL, "normal")                                                                   \
    XX(SHUTDOWN, "shutdown")           /* asked to end, plain or with a detail */          \
    XX(KILLED, "killed")                                                                   \
    XX(NOPROC, "noproc")               /* the peer did not exist */                        \
    XX(BAD_RETURN, "bad_return_value") /* a callback returned an invalid value */          \
    XX(RAISED, "error")                /* a callback raised an error */                    \
    XX(CUSTOM, "custom")               /* a reason that a callback chose */
/* clang-format on */

typedef enum sh_reason {
#define XX(name, text) SH_REASON_##name,
    SH_REASON_MAP(XX)
#undef XX
} sh_reason;

/* "normal", "shutdown" and so on; static. Any thread. */
const char *sh_reason_name(sh_reason kind);

/* An error is immutable once shared, counted atomically, and may cross threads. */
/* clang-format off */
typedef struct sh_error_fields {
    sh_reason kind;
    int code;              /* SH_E* where one fits, else 0                                    */
    const char *name;      /* short word, "noproc", "oops"; NULL: sh_reason_name(kind), which
                              is also what sh_error_get() then shows                          */
    const char *message;   /* one sentence for people; may be NULL                            */
    const char *stage;     /* name of the stage it happened in; may be NULL                   */
    const char *callback;  /* "handle_events" ...; may be NULL                                */
    const char *traceback; /* may be NULL                                                     */
    const void *data;      /* opaque detail of the layer above (an encoded Lua value)         */
    size_t data_len;
} sh_error_fields;
/* clang-format on */

/* Copies all fields. Never returns NULL, which would mean "normal": when out of memory it
 * returns a shared error with the code SH_ENOMEM. Any thread. */
sh_error *sh_error_new(const sh_error_fields *fields);
/* printf-like short form. Any thread. */
sh_error *sh_error_fmt(sh_reason kind, int code, const char *name, const char *fmt, ...);
sh_error *sh_error_ref(sh_error *error); /* NULL is allowed and returned */
void sh_error_unref(sh_error *error);    /* NULL is allowed */
/* Borrowed view; for NULL the fields of "normal". */
const sh_error_fields *sh_error_get(const sh_error *error);
/* Whether the end is not a crash: its reason is normal or shutdown. */
bool sh_error_is_clean(const sh_error *error);

/* -- allocation ------------------------------------------------------------------------ */

/* The library's allocator: blocks that the caller has to sh_free come from here. Any thread. */
void *sh_malloc(size_t size);
void *sh_realloc(void *ptr, size_t size);
void sh_free(void *ptr);

#ifdef __cplusplus
}
#endif
#endif

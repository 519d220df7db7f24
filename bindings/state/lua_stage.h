/* SPDX-License-Identifier: MIT
 *
 * The private state of a stage whose callbacks are Lua. */
#ifndef SHL_LUA_STAGE_H
#define SHL_LUA_STAGE_H

#include "state/context.h"

#define SHL_CALLBACK_MAP(XX)                                                               \
    XX(INIT, "init")                                                                       \
    XX(DEMAND, "handle_demand")                                                            \
    XX(EVENTS, "handle_events")                                                            \
    XX(SUBSCRIBE, "handle_subscribe")                                                      \
    XX(CANCEL, "handle_cancel")                                                            \
    XX(CALL, "handle_call")                                                                \
    XX(CAST, "handle_cast")                                                                \
    XX(INFO, "handle_info")                                                                \
    XX(NOTIFICATION, "handle_notification")                                                \
    XX(EXIT, "handle_exit")                                                                \
    XX(DOWN, "handle_down")                                                                \
    XX(END, "handle_end")                                                                  \
    XX(DISCARDED, "format_discarded")                                                      \
    XX(TERMINATE, "terminate")                                                             \
    XX(SCRIPT, "main chunk")

enum shl_callback {
#define XX(name, text) SHL_##name,
    SHL_CALLBACK_MAP(XX)
#undef XX
        SHL_N_CALLBACKS
};

/* Converts an answer to results on L; returns their count (at most 8). Owns nothing; may
 * raise. */
typedef int (*shl_convert)(lua_State *L, int status, sh_batch value, const sh_error *error);

struct shl_place; /* state/interrupt.c */

/* The private state of a stage whose callbacks are Lua. */
struct shl_stage {
    struct shl_context *ctx;             /* NULL until init has begun */
    sh_stage *self;                      /* borrowed: it owns this struct */
    lua_State *co;                       /* NULL: spent, the next callback gets a new one */
    uint32_t co_slot, self_slot;         /* self: the instance table */
    uint32_t functions[SHL_N_CALLBACKS]; /* slots; 0: the definition has none */
    enum shl_callback callback;          /* the one that runs or waits */
    bool is_ready;                       /* the coroutine has SHL_AT_* at its bottom */
    uint32_t from_slot;                  /* of the value at SHL_AT_FROM; 0: none */
    struct shl_list *given;  /* its table is on top of the coroutine; NULL: no table is */
    uint64_t waiting;        /* for the answer to this request; 0: for none */
    shl_convert convert;     /* of that answer */
    struct shl_start *start; /* until init has finished */
    uint32_t requests;       /* slot of the requests to be awaited later; 0: none */
    uint32_t call_slot;      /* the `from` of the handle_call that runs or waits */
    uint32_t *sub_slots; /* slots of subscription objects; a subscription knows its index */
    uint32_t n_sub_slots;
    int64_t expected; /* handle_demand, handle_events: the events asked for, or given */
    uint32_t n_lists; /* that ready callbacks have returned (events/hole.c) */
    bool demand_by;   /* handle_demand gets the list of consumers that ask */
    bool has_failed;  /* stagehost.failed was called: its value is among the results */
    bool is_packed;   /* handle_events gets packed strings as they are */
    /* Where the callbacks are, for other threads (state/interrupt.c). A place lives as long as
     * its function, which `functions` keeps. */
    _Atomic(const struct shl_place *) places[SHL_N_CALLBACKS]; /* NULL: no such callback */
};

/* The values at the bottom of a ready coroutine. */
enum {
    SHL_AT_SELF = 1,
    SHL_AT_DEMAND,
    SHL_AT_EVENTS,
    SHL_AT_FROM,
    SHL_N_READY = SHL_AT_FROM
};

/* The number of values on the coroutine below arguments and results. */
static inline int shl_callback_bottom(const struct shl_stage *s)
{
    return s->is_ready ? SHL_N_READY : 0;
}

const char *shl_callback_name(enum shl_callback callback);
/* The stage whose callback runs now, borrowed; NULL between callbacks. */
sh_stage *shl_current_stage(const struct shl_context *ctx);

#endif

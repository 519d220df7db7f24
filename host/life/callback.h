/* SPDX-License-Identifier: MIT
 *
 * The callbacks of a stage as the core runs them: one at a time, and any may wait. */
#ifndef SH_CALLBACK_H
#define SH_CALLBACK_H

#include "stagehost.h"

#define SH__CALLBACK_MAP(XX)                                                               \
    XX(NONE, "none")                                                                       \
    XX(INIT, "init")                                                                       \
    XX(DEMAND, "handle_demand")                                                            \
    XX(EVENTS, "handle_events")                                                            \
    XX(SUBSCRIBE_IN, "handle_subscribe")  /* on the consumer */                            \
    XX(SUBSCRIBE_OUT, "handle_subscribe") /* on the producer */                            \
    XX(CANCEL_IN, "handle_cancel")                                                         \
    XX(CANCEL_OUT, "handle_cancel")                                                        \
    XX(CALL, "handle_call")                                                                \
    XX(CAST, "handle_cast")                                                                \
    XX(INFO, "handle_info")                                                                \
    XX(NOTIFICATION, "handle_notification")                                                \
    XX(EXIT, "handle_exit")                                                                \
    XX(DOWN, "handle_down")                                                                \
    XX(TERMINATE, "terminate")

enum sh__callback {
#define XX(name, text) SH__CALLBACK_##name,
    SH__CALLBACK_MAP(XX)
#undef XX
};

struct sh__message;
struct sh__task;

/* callback.c --------------------------------------------------------------------------- */
void sh__callback_init(sh_stage *stage);
void sh__callback_demand(sh_stage *stage, int64_t n);
void sh__callback_events(sh_stage *stage, sh_batch batch, int64_t ask);
/* The batch that has failed once more. */
void sh__callback_events_again(sh_stage *stage);
void sh__callback_task(sh_stage *stage, enum sh__callback callback, struct sh__task *task);
void sh__callback_terminate(sh_stage *stage);
/* Drops what `now` holds. */
void sh__callback_forget(sh_stage *stage);
/* What the functions above are made of: `now` is filled in between, the C function called,
 * and its result is acted on, at once or when sh_stage_complete is called. */
void sh__callback_begin(sh_stage *stage, enum sh__callback callback);
void sh__callback_returned(sh_stage *stage, int status, sh_result *r);
/* "handle_events" and so on. */
const char *sh__callback_name(enum sh__callback callback);

/* callback_message.c: CALL, CAST, INFO, NOTIFICATION, EXIT, DOWN; takes the message. */
void sh__callback_message(sh_stage *stage, enum sh__callback callback,
                          struct sh__message *message);

#endif

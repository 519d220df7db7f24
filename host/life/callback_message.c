/* SPDX-License-Identifier: MIT
 *
 * Callbacks for messages, and the handling of a message for which a stage has no callback. */
#include "stage/above.h"

#include <stdio.h>

#include "life/callback.h"
#include "stage/log.h"

static sh_error *missing_callback(const sh_stage *stage, enum sh__callback callback)
{
    char text[160];
    snprintf(text, sizeof text, "the stage got a %s but has no %s",
             callback == SH__CALLBACK_CALL ? "call" : "cast", sh__callback_name(callback));
    sh_error_fields fields = {.kind = SH_REASON_RAISED,
                              .code = SH_ENOSYS,
                              .stage = sh__stage_label(stage),
                              .callback = sh__callback_name(callback),
                              .message = text};
    return sh_error_new(&fields);
}

/* Handles a message for a callback that the stage does not have. */
static int unhandled(sh_stage *stage, enum sh__callback callback, sh_result *r)
{
    if (callback == SH__CALLBACK_INFO || callback == SH__CALLBACK_DOWN) {
        sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_UNHANDLED_INFO, stage, NULL,
                "a message was dropped: the stage has no %s", sh__callback_name(callback));
        return SH_DONE;
    }
    if (callback == SH__CALLBACK_NOTIFICATION)
        return SH_DONE;
    r->reason = missing_callback(stage, callback);
    return SH_EFAILED;
}

static int run_message(sh_stage *stage, enum sh__callback callback,
                       struct sh__message *message, sh_result *r)
{
    const sh_stage_ops *ops = stage->ops;
    void *state = stage->state;
    sh_stage *from = message->from.stage;
    if (callback == SH__CALLBACK_CALL && ops->handle_call)
        return ops->handle_call(stage, state, message->batch, message->from, r);
    if (callback == SH__CALLBACK_CAST && ops->handle_cast)
        return ops->handle_cast(stage, state, message->batch, r);
    if (callback == SH__CALLBACK_INFO && ops->handle_info)
        return ops->handle_info(stage, state, message->batch, r);
    if (callback == SH__CALLBACK_NOTIFICATION && ops->handle_notification)
        return ops->handle_notification(stage, state, message->batch, message->sub, r);
    if (callback == SH__CALLBACK_EXIT)
        return ops->handle_exit(stage, state, from, message->error, r);
    if (callback == SH__CALLBACK_DOWN && ops->handle_down)
        return ops->handle_down(stage, state, from, message->error, message->signal.number,
                                r);
    return SH_ENOSYS;
}

void sh__callback_message(sh_stage *stage, enum sh__callback callback,
                          struct sh__message *message)
{
    sh_result r = {0};
    sh__callback_begin(stage, callback);
    stage->now.message = message;
    int status = run_message(stage, callback, message, &r);
    if (status == SH_ENOSYS)
        status = unhandled(stage, callback, &r);
    sh__callback_returned(stage, status, &r);
}

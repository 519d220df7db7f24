/* SPDX-License-Identifier: MIT
 *
 * A message arrives at its stage: into the mailbox, or acted on at once. */
#include "stage/deliver.h"

#include "stage/above.h"
#include "stage/links.h"
#include "stage/log.h"
#include "stage/run_queue.h"

static void on_kill(sh_stage *stage, struct sh__message *message)
{
    stage->is_killed = true;
    sh__message_free(stage->worker, message);
}

void sh__stage_kill_oom(sh_stage *stage)
{
    if (stage->is_killed || stage->phase == SH__PHASE_ENDED)
        return;
    sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_STAGE_ENDED, stage, NULL,
            "killed: out of memory");
    stage->is_killed = true;
    if (!stage->is_absent)
        sh__worker_schedule(stage->worker, stage);
}

static void on_reply(sh_stage *stage, struct sh__message *message)
{
    sh__mailbox_push(&stage->answers, message);
    stage->has_answers = true;
}

static void (*const at_once[])(sh_stage *stage, struct sh__message *message) = {
    [SH__KILL] = on_kill, [SH__REPLY] = on_reply, [SH__STEER] = sh__limits_steer};

/* Takes the message if it is not for the mailbox; false: it is. */
static bool handle_on_arrival(sh_stage *stage, struct sh__message *message)
{
    if (sh__message_route(message) == SH__ROUTE_SIGNAL) {
        sh__links_deliver(stage, message);
        return true;
    }
    if (message->kind == SH__REPLY && stage->tap)
        return false;
    at_once[message->kind](stage, message);
    if (!stage->is_absent)
        sh__worker_schedule(stage->worker, stage);
    return true;
}

/* Puts START before the messages that have overtaken it: those of a third worker, which found the
 * stage by its name. */
static void begin_life(sh_stage *stage, struct sh__message *message)
{
    sh__link_append(&stage->worker->stages, &stage->link);
    stage->is_absent = false;
    sh__mailbox_push_first(&stage->mailbox, message);
}

void sh__stage_deliver(sh_stage *stage, struct sh__message *message)
{
    sh_worker *worker = stage->worker;
    if (stage->phase == SH__PHASE_ENDED) {
        sh__message_refuse(worker, message);
        return;
    }
    if (sh__message_route(message) >= SH__ROUTE_AT_ONCE &&
        handle_on_arrival(stage, message))
        return;
    stage->stats.messages_in++;
    if (sh__unlikely(message->kind == SH__START))
        begin_life(stage, message);
    else
        sh__mailbox_push(&stage->mailbox, message);
    if (!stage->is_waiting && !stage->is_held && !stage->is_absent)
        sh__worker_schedule(worker, stage);
}

void sh__stage_deliver_ahead(sh_stage *stage, struct sh__message *message)
{
    if (stage->phase == SH__PHASE_NEW || stage->phase == SH__PHASE_ENDED) {
        sh__stage_deliver(stage, message);
        return;
    }
    stage->stats.messages_in++;
    sh__mailbox_push_first(&stage->mailbox, message);
    if (!stage->is_waiting && !stage->is_held)
        sh__worker_schedule(stage->worker, stage);
}

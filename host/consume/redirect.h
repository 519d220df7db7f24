/* SPDX-License-Identifier: MIT
 *
 * Redirection: a stage that was subscribed to sends its consumer on to other producers. REDIRECT
 * carries back the options of the subscription and the targets; the consumer makes the new
 * subscriptions before it takes the CANCEL that follows, so it is never without a producer. */
#ifndef SH_REDIRECT_H
#define SH_REDIRECT_H

#include "stage/stage.h"

/* The targets of a redirection; every stage and name is owned. */
struct sh__redirect {
    size_t n;
    bool has_cancel;
    sh_cancel cancel;
    struct sh__target {
        sh_stage *stage;
        char *name;
    } targets[];
};

/* Called when handle_subscribe of a producer has returned a redirection (in r->reply; taken):
 * sends it, and cancels the subscription. */
void sh__redirect_send(sh_stage *stage, struct sh__task *task, sh_result *r);
/* Handles REDIRECT at the consumer; borrows the message. */
void sh__redirect_follow(sh_stage *stage, struct sh__message *message);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The rate and the batch size of a subscription, which are part of its limits: how many events
 * handle_events is given at a time, and when. */
#ifndef SH_BATCHING_H
#define SH_BATCHING_H

#include "consume/limits.h"

/* Sets the rate and the batch size that the options want. SH_ENOMEM. */
int sh__limits_configure(struct sh__limits *limits, const sh_subscribe_opts *opts);
/* Frees what sh__limits_configure made, with the gathered events, and stops the timers. */
void sh__limits_fini(sh_stage *stage, struct sh__limits *limits);
/* Called before a message is handled if its limits gather. True: the message was taken. */
bool sh__limits_gather(sh_stage *stage, struct sh__limits *limits,
                       struct sh__message *message);
/* Lets all gathered events be handled, unless the limits are shut. */
void sh__limits_flush(sh_stage *stage, struct sh__limits *limits);
/* Starts the timer that keeps gathered events from waiting too long. */
void sh__limits_wait_for_batch(sh_stage *stage, struct sh__limits *limits);
/* How many events of the message being fed handle_events gets next; `usual` is the number without
 * limits. 0: none now, and nothing is being fed any more. */
int64_t sh__limits_allow(sh_stage *stage, struct sh__limits *limits, int64_t usual);

#endif

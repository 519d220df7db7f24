/* SPDX-License-Identifier: MIT
 *
 * Subscriptions that others, such as brokers, make on behalf of a consumer are shared: there is one
 * for each producer and partition, for any number of parties, until the last party parts the two
 * (sh_subscribe_opts.via, sh_stage_part). All functions are for the consumer's worker. */
#ifndef SH_SHARE_H
#define SH_SHARE_H

#include "stage/subscription.h"

struct sh__message;

/* The open subscription of `stage` that a request with opts->via shares; NULL: none. Borrowed. */
sh_subscription *sh__share_find(sh_stage *stage, const sh_subscribe_opts *opts);
/* Adds opts->via to the parties of the subscription; does nothing for 0. SH_ENOMEM. */
int sh__share_add(sh_subscription *sub, const sh_subscribe_opts *opts);
/* Handles PART; takes the message. */
void sh__share_part(sh_stage *stage, struct sh__message *message);

#endif

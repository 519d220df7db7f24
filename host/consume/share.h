/* SPDX-License-Identifier: MIT
 *
 * Subscriptions that others make on behalf of a consumer, such as brokers, are shared: one for
 * each producer and partition, however many want it, and until the last of them parts the two
 * (sh_subscribe_opts.via, sh_stage_part). All are for the consumer's worker. */
#ifndef SH_SHARE_H
#define SH_SHARE_H

#include "stage/subscription.h"

struct sh__message;

/* The open subscription of `stage` that a request with opts->via shares; NULL: none. Borrowed. */
sh_subscription *sh__share_find(sh_stage *stage, const sh_subscribe_opts *opts);
/* opts->via wants it too; nothing for 0. SH_ENOMEM. */
int sh__share_add(sh_subscription *sub, const sh_subscribe_opts *opts);
/* PART; takes the message. */
void sh__share_part(sh_stage *stage, struct sh__message *message);

#endif

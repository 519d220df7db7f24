/* SPDX-License-Identifier: MIT
 *
 * The consumer side of a stage: subscribing, handing events to handle_events and asking for more,
 * the end of a subscription. All functions are for the stage's worker. */
#ifndef SH_CONSUMER_H
#define SH_CONSUMER_H

#include "stage/stage.h"

/* Subscribes; takes `subscribe` and `from`, a reference or a NULL stage, which is answered. */
void sh__consumer_subscribe(sh_stage *stage, struct sh__subscribe *subscribe, sh_from from);
/* Ends the stage gracefully when its present subscriptions have ended: no more will be made. */
void sh__consumer_finish(sh_stage *stage);
/* Called when handle_subscribe has returned: asks, unless the mode is manual. */
void sh__consumer_subscribed(sh_stage *stage, sh_subscription *sub, sh_mode mode);

/* Handles a message of the route CONSUMER on a stage that consumes; takes it. */
void sh__consumer_message(sh_stage *stage, struct sh__message *message);
/* Starts feeding the events of a message (taken) to handle_events. */
void sh__consumer_feed(sh_stage *stage, struct sh__message *message);
/* Gives handle_events the next batch of the message being fed. */
void sh__consumer_next(sh_stage *stage);
/* Drops the message being fed; does nothing if there is none. */
void sh__consumer_drop_feed(sh_stage *stage);
/* Sends an ask for n events, unless the subscription may not ask now. */
void sh__consumer_ask(sh_stage *stage, sh_subscription *sub, int64_t n);

/* Puts handle_cancel for a CANCEL or PRODUCER_DOWN (taken) on the agenda; its half is closed
 * already. */
void sh__consumer_end_subscription(sh_stage *stage, struct sh__message *message);
/* Applies the cancel mode once handle_cancel has run. Borrows `reason`. */
void sh__consumer_cancelled(sh_stage *stage, sh_cancel mode, sh_error *reason);

#endif

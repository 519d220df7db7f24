/* SPDX-License-Identifier: MIT
 *
 * Subscriptions and stages for specs of the pure parts, which know them only by handle. */
#ifndef SPEC_FAKE_SUBSCRIPTION_H
#define SPEC_FAKE_SUBSCRIPTION_H

#include "stagehost.h"

struct sh_stage {
    const char *name;
};

struct sh_subscription {
    void *dispatch_data;
    sh_stage *consumer;
    const char *name;
    int64_t outstanding; /* asked and not yet delivered */
    int64_t received;
    int64_t last; /* the last event received, to check order by */
    bool failed;
};

#endif

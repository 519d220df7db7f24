/* SPDX-License-Identifier: MIT */
#include "fake_subscription.h"

void **sh_subscription_dispatch_data(sh_subscription *sub)
{
    return &sub->dispatch_data;
}

sh_stage *sh_subscription_consumer(const sh_subscription *sub)
{
    return sub->consumer;
}

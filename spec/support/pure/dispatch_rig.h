/* SPDX-License-Identifier: MIT
 *
 * A dispatcher between a small model of its producer and fake subscriptions. Like the
 * core, the model has a buffer for leftovers, and the demand it has asked of
 * handle_demand and not got. Every step returns what handle_demand would be asked for.
 * Events are integers.
 *
 * The actions of the dispatcher are written down in words: "A[1 2]" events sent to A, "A!7"
 * notification 7 sent to A, "done7" marker 7 released, "A?name" A failed, "none3" /
 * "bad3?name" events skipped, "refused[11 22]?name" events refused, "full2:10" events dropped
 * by a queue of 10, "drop3" events dropped for lack of consumers, "A>12:10" an ask for 12
 * where 10 is the most. */
#ifndef SPEC_DISPATCH_RIG_H
#define SPEC_DISPATCH_RIG_H

#include "events/buffer.h"
#include "fake_subscription.h"

struct rig {
    const sh_dispatcher_ops *ops;
    void *state;
    sh_dispatch out;
    struct sh__buffer buffer;
    int64_t owed;
    uint32_t n_sent, n_skipped, n_discarded; /* events */
    bool quiet;                              /* write nothing down */
    char words[4096];
};

int rig_init(struct rig *rig, const sh_dispatcher_ops *ops, const void *opts, uint64_t seed,
             sh_error **error);
void rig_fini(struct rig *rig);

/* SH_OK, or the refusal's code after writing down its name: "A?name". */
int rig_subscribe(struct rig *rig, sh_subscription *sub, sh_subscribe_opts *opts);
int64_t rig_cancel(struct rig *rig, sh_subscription *sub);
/* Cancels a subscription that another consumer is expected to replace. */
int64_t rig_replace(struct rig *rig, sh_subscription *sub);
/* Drops the events in the buffer and the dispatcher. Returns how many they were. */
int64_t rig_clear(struct rig *rig);
/* Gives events of a consumer back; `sub` is any subscription of the queue they go to. */
void *rig_place(struct rig *rig, sh_subscription *sub);
int64_t rig_give_back(struct rig *rig, void *place, int64_t first, uint32_t n);
int64_t rig_ask(struct rig *rig, sh_subscription *sub, int64_t n);
/* Emits the events first .. first + n - 1. */
int64_t rig_emit(struct rig *rig, int64_t first, uint32_t n);
int64_t rig_info(struct rig *rig, int64_t id);
int64_t rig_notify(struct rig *rig, int64_t id);
int64_t rig_credit(const struct rig *rig);

/* The words written since the last call. */
const char *rig_words(struct rig *rig);

/* An owned batch of consecutive integers. */
sh_batch rig_integers(int64_t first, uint32_t n);
int64_t rig_integer(sh_batch batch, uint32_t i);

#define RIG_SUBSCRIPTION(stage)                                                            \
    {                                                                                      \
        .consumer = (stage), .name = (stage)->name, .last = INT64_MIN                      \
    }

#endif

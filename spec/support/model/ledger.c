/* SPDX-License-Identifier: MIT
 *
 * What must hold when everything has ended: the two sides of each subscription tell the
 * same story, and every event is accounted for. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct ledger {
    struct run *run;
    int64_t input[MODEL_MAX_ACTORS];   /* unfinished: it was sent to the stage     */
    int64_t output[MODEL_MAX_ACTORS];  /* unfinished: the stage has emitted it     */
    int64_t refused[MODEL_MAX_ACTORS]; /* unfinished: by the hash                */
    int64_t sent_to[MODEL_MAX_ACTORS];
    int64_t unfinished, discarded, declined;
};

static void add_unfinished(void *data, const char *stage, uint64_t events,
                           const char *where)
{
    struct ledger *ledger = data;
    int index = atoi(stage + 1);
    ledger->unfinished += (int64_t)events;
    if (strcmp(where, "buffer") == 0)
        ledger->output[index] += (int64_t)events;
    else if (strcmp(where, "refused by the hash") == 0)
        ledger->refused[index] += (int64_t)events;
    else if (strcmp(where, "handle_events") == 0 || strcmp(where, "input") == 0 ||
             strcmp(where, "mailbox") == 0)
        ledger->input[index] += (int64_t)events;
    else
        model_fail(ledger->run, "%s: %d events unfinished: %s", stage, (int)events, where);
}

/* -- subscriptions --------------------------------------------------------------------- */

static void check_received(const struct side *in, const struct side *out)
{
    struct run *run = in->actor->run;
    size_t n_sent = out ? out->events.n : 0;
    size_t n = in->events.n;
    if (n > n_sent ||
        (n > 0 && memcmp(in->events.items, out->events.items, n * sizeof(int64_t)) != 0))
        model_fail(run, "s%d: got %d events that are not the first of %d that s%d sent it",
                   in->actor->index, (int)n, (int)n_sent, in->peer);
    if (out && out->asked > in->asked)
        model_fail(run, "s%d: was asked for %d by s%d, which asked for %d", in->peer,
                   (int)out->asked, in->actor->index, (int)in->asked);
}

/* When one side goes down, the other hears the reason. */
static void check_reason(const struct side *side)
{
    struct run *run = side->actor->run;
    const struct actor *peer = &run->actors[side->peer];
    if (!side->is_cancelled || side->how != SH_ENDED_DOWN)
        return;
    bool was_late = side->is_consumer && strcmp(side->reason, "noproc") == 0;
    if (!was_late && strcmp(side->reason, peer->reason) != 0)
        model_fail(run, "s%d: heard that s%d went down with %s, it was %s",
                   side->actor->index, side->peer, side->reason, peer->reason);
}

static void check_sides(struct ledger *ledger, const struct actor *actor)
{
    for (const struct side *out = actor->consumers; out; out = out->next) {
        ledger->sent_to[out->peer] += (int64_t)out->events.n;
        check_reason(out);
    }
    for (const struct side *in = actor->producers; in; in = in->next) {
        const struct actor *producer = &actor->run->actors[in->peer];
        check_received(in, side_find(producer->consumers, sh_subscription_id(in->sub)));
        check_reason(in);
    }
}

/* -- stages ---------------------------------------------------------------------------- */

static void check_balance(struct ledger *ledger, const struct actor *actor)
{
    int me = actor->index;
    sh_stage_stats stats;
    sh_stage_get_stats(actor->stage, &stats);
    int64_t handed_on = actor->plan->spread == SPREAD_BROADCAST
                            ? actor->taken
                            : actor->sent + actor->skipped;
    int64_t discarded = (int64_t)(stats.discarded_full + stats.discarded_no_consumers);
    int64_t stopped = (int64_t)stats.discarded_stopped;
    ledger->discarded += discarded + stopped;
    if (ledger->refused[me] != actor->bad)
        model_fail(ledger->run, "s%d: refused %d, counts %d unfinished", me,
                   (int)actor->bad, (int)ledger->refused[me]);
    /* Events missing on either side were declined by the consumers. */
    int64_t declined = (int64_t)stats.declined;
    int64_t output = actor->emitted - handed_on - discarded - ledger->output[me];
    int64_t input = ledger->sent_to[me] - actor->handled - stopped - ledger->input[me];
    ledger->declined += declined;
    if (output < 0 || output > declined)
        model_fail(
            ledger->run,
            "s%d: emitted %d: handed on %d, discarded %d, unfinished %d, declined %d", me,
            (int)actor->emitted, (int)handed_on, (int)discarded, (int)ledger->output[me],
            (int)declined);
    if (input != declined - output)
        model_fail(ledger->run,
                   "s%d: was sent %d: handled %d, discarded %d, unfinished %d, declined %d",
                   me, (int)ledger->sent_to[me], (int)actor->handled, (int)stopped,
                   (int)ledger->input[me], (int)(declined - output));
}

/* A stage may end only because of something it did or was told, or in the drain at the end. */
static void check_end(const struct actor *actor, bool was_killed)
{
    struct run *run = actor->run;
    if (!actor->has_ended) {
        model_fail(run, "s%d: has not ended", actor->index);
        return;
    }
    bool may_end = run->was_told_to_end[actor->index] || actor->is_licensed;
    if (!may_end && strcmp(actor->reason, "shutdown") != 0 &&
        !(was_killed && strcmp(actor->reason, "killed") == 0))
        model_fail(run, "s%d: ended with %s", actor->index, actor->reason);
}

void check_ledger(struct run *run)
{
    struct ledger ledger = {.run = run};
    sh_host_summary summary;
    if (atomic_load(&run->has_failed))
        return;
    sh_host_get_summary(run->host, &summary);
    sh_host_each_unfinished(run->host, add_unfinished, &ledger);
    if (summary.killed && run->plan->finish == FINISH_DRAIN)
        model_fail(run, "the drain did not come to an end");
    for (int i = 0; i < run->n_actors; i++)
        if (run->actors[i].stage)
            check_sides(&ledger, &run->actors[i]);
    for (int i = 0; i < run->n_actors; i++)
        if (run->actors[i].stage) {
            check_end(&run->actors[i], summary.killed);
            check_balance(&ledger, &run->actors[i]);
        }
    /* Events that were queued for a stage that chose to stop are in either sum. */
    int64_t dropped = (int64_t)(summary.discarded + summary.declined);
    if (ledger.unfinished != (int64_t)summary.unfinished ||
        ledger.discarded + ledger.declined != dropped)
        model_fail(run,
                   "the summary counts %d unfinished and %d discarded or declined, it was "
                   "%d and %d",
                   (int)summary.unfinished, (int)dropped, (int)ledger.unfinished,
                   (int)(ledger.discarded + ledger.declined));
}

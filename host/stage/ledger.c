/* SPDX-License-Identifier: MIT
 *
 * The ledger of a worker: events that were accepted but not handled. */
#include "stage/ledger.h"

#include <string.h>

#include "stage/host_state.h"
#include "stage/stage.h"

/* Beyond this number, stages without a name of their own are counted together. */
enum { MOST_UNFINISHED = 256 };

/* Looks up by label: a stage restarted under its name shares the entry of its predecessors. */
static struct sh__unfinished *find_unfinished(sh_worker *worker, const char *label,
                                              const char *where)
{
    struct sh__unfinished *entry = worker->unfinished;
    while (entry && (strcmp(entry->where, where) != 0 || strcmp(entry->stage, label) != 0))
        entry = entry->next;
    return entry;
}

/* Adds an entry; NULL: out of memory. */
static struct sh__unfinished *add_unfinished(sh_worker *worker, const char *label,
                                             const char *where)
{
    size_t len = strlen(label) + 1;
    struct sh__unfinished *entry = sh_malloc(sizeof *entry + len);
    if (!entry)
        return NULL;
    *entry = (struct sh__unfinished){worker->unfinished, 0, where};
    memcpy(entry->stage, label, len);
    worker->unfinished = entry;
    worker->n_unfinished++;
    return entry;
}

void sh__worker_count_unfinished(sh_worker *worker, const sh_stage *stage, uint64_t events,
                                 const char *where)
{
    if (sh__unlikely(atomic_load(&worker->host->declined))) {
        sh__worker_count_declined(worker, (sh_stage *)stage, events);
        return;
    }
    worker->totals_unfinished += events;
    ((sh_stage *)stage)->stats.unfinished += events;
    const char *label = sh__stage_label(stage);
    struct sh__unfinished *entry = find_unfinished(worker, label, where);
    if (!entry && worker->n_unfinished >= MOST_UNFINISHED) {
        label = "(others)";
        entry = find_unfinished(worker, label, where);
    }
    if (!entry)
        entry = add_unfinished(worker, label, where);
    if (entry)
        entry->events += events;
}

void sh__worker_count_declined(sh_worker *worker, sh_stage *stage, uint64_t events)
{
    worker->totals_declined += events;
    stage->stats.declined += events;
}

void sh__worker_count_stopped(sh_worker *worker, sh_stage *stage, uint64_t events)
{
    stage->stats.discarded_stopped += events;
    if (stage->declines || atomic_load(&worker->host->declined))
        worker->totals_declined += events;
    else
        worker->totals_discarded += events;
}

void sh_stage_lose(sh_stage *stage, uint64_t events, const char *where)
{
    if (events > 0)
        sh__worker_count_unfinished(stage->worker, stage, events, where);
}

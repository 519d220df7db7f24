/* SPDX-License-Identifier: MIT
 *
 * Dead letters: events that could not be handled, on their way to a stage that looks after
 * them. They are never lost silently: events that do not get there are counted as unfinished. */
#include "consume/dead_letter.h"

#include "consume/above.h"
#include "consume/recovery.h"
#include "produce/above.h"
#include "stage/ledger.h"
#include "stage/log.h"

static const char where[] = "dead letter";

/* The dead-letter stage, borrowed, which from now on waits for the end of this stage; a stage
 * given by name may have been started again. */
static sh_stage *find(sh_stage *stage)
{
    struct sh__recovery *recovery = stage->recovery;
    if (!recovery)
        return NULL;
    if (recovery->dead_letter_name &&
        (!recovery->dead_letter || !sh_stage_is_alive(recovery->dead_letter))) {
        sh_stage_unref(recovery->dead_letter);
        recovery->dead_letter = sh_whereis(stage->worker->host, recovery->dead_letter_name);
        recovery->is_writer = false;
    }
    sh_stage *to = recovery->dead_letter;
    if (!to || !sh_stage_is_alive(to))
        return NULL;
    if (!recovery->is_writer && to != stage) {
        recovery->is_writer = true;
        atomic_fetch_add(&to->writers, 1);
        sh__host_exempt(stage->worker->host, to);
    }
    return to;
}

void sh__dead_letter_open(sh_stage *stage)
{
    find(stage);
}

/* The stage's last message comes after its letters, since messages between two stages keep their
 * order. */
void sh__dead_letter_close(sh_stage *stage)
{
    struct sh__recovery *recovery = stage->recovery;
    if (!recovery->is_writer)
        return;
    recovery->is_writer = false;
    struct sh__message *last =
        sh__message_new(stage->worker, SH__LETTERS, recovery->dead_letter);
    if (last)
        sh__send(stage->worker, last, NULL);
}

static void lose(sh_stage *stage, uint32_t n, const sh_error *error, const char *why)
{
    const sh_error_fields *fields = sh_error_get(error);
    sh__worker_count_unfinished(stage->worker, stage, n, where);
    sh__log(stage->worker->host, SH_LOG_ERROR, SH_LOG_DEAD_LETTER, stage, error,
            "%u event%s unfinished, %s: %s", n, n == 1 ? " is" : "s are", why,
            fields->message ? fields->message : fields->name);
}

/* The message with the letters; NULL: the events are of a kind without letters, or memory ran
 * out. */
static struct sh__message *write_letters(sh_stage *stage, sh_stage *to, sh_batch events,
                                         const sh_error *error, const char *failed,
                                         uint32_t deliveries)
{
    bool is_of_stage = stage->ops->letters && stage->ops->letters == to->ops->letters;
    sh_letters *make = is_of_stage ? stage->ops->letters : events.list->ops->letters;
    sh_list *list = make ? make(stage->worker, &events, error, failed, deliveries) : NULL;
    if (!list)
        return NULL;
    sh_batch letters = {.list = list, .n = 1};
    struct sh__message *message = sh__message_new(stage->worker, SH__LETTERS, to);
    if (!message) {
        sh_batch_unref(letters);
        return NULL;
    }
    message->batch = letters;
    message->letters.n = events.n;
    return message;
}

bool sh__dead_letter_is_given(const sh_stage *stage)
{
    const struct sh__recovery *recovery = stage->recovery;
    return recovery && (recovery->dead_letter || recovery->dead_letter_name);
}

void sh__dead_letter(sh_stage *stage, sh_batch events, const sh_error *error,
                     const char *failed, uint32_t deliveries)
{
    if (events.n == 0)
        return;
    struct sh__recovery *recovery = stage->recovery;
    sh_stage *to = find(stage);
    if (!to) {
        bool is_given = sh__dead_letter_is_given(stage);
        lose(stage, events.n, error,
             is_given ? "the dead-letter stage is not alive"
                      : "there is no dead-letter stage");
        return;
    }
    struct sh__message *message =
        write_letters(stage, to, events, error, failed, deliveries);
    sh_error *problem = NULL;
    if (!message) {
        lose(stage, events.n, error, "they can't be made dead letters");
    } else if (sh__send(stage->worker, message, &problem) < 0) {
        lose(stage, events.n, problem, "they can't cross to the dead-letter stage");
        sh_error_unref(problem);
    } else {
        const sh_error_fields *fields = sh_error_get(error);
        recovery->dead_lettered += events.n;
        stage->worker->totals_dead_lettered += events.n;
        sh__log(stage->worker->host, SH_LOG_WARN, SH_LOG_DEAD_LETTER, stage, error,
                "%u event%s went to the dead-letter stage %s: %s", events.n,
                events.n == 1 ? "" : "s", sh__stage_label(to),
                fields->message ? fields->message : fields->name);
    }
}

void sh__dead_letter_refused(sh_stage *to, uint64_t n)
{
    sh__worker_count_unfinished(to->worker, to, n, where);
    sh__log(to->worker->host, SH_LOG_ERROR, SH_LOG_DEAD_LETTER, to, NULL,
            "%llu dead letters are unfinished: the stage did not take them",
            (unsigned long long)n);
}

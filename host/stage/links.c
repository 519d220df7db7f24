/* SPDX-License-Identifier: MIT
 *
 * Links, monitors and exit signals: see links.h. */
#include "stage/links.h"

#include "base/alloc.h"
#include "base/error.h"
#include "stage/above.h"
#include "stage/deliver.h"
#include "stage/host_state.h"
#include "stage/run_queue.h"

struct sh__links *sh__links_of(sh_stage *stage)
{
    if (!stage->links)
        stage->links = sh__calloc(1, sizeof *stage->links);
    return stage->links;
}

static bool traps_exits(const sh_stage *stage)
{
    return stage->ops->handle_exit != NULL;
}

static struct sh__bond *find_link(const sh_stage *stage, const sh_stage *peer)
{
    return stage->links ? sh__bonds_find(&stage->links->linked, peer->id) : NULL;
}

/* -- sending --------------------------------------------------------------------------- */

/* Makes a signal. Takes `error`, which may be NULL, as may `from`. */
static struct sh__message *new_signal(sh_worker *worker, enum sh__message_kind kind,
                                      sh_stage *from, sh_stage *to, sh_error *error)
{
    struct sh__message *message = sh__message_new(worker, kind, to);
    if (!message) {
        sh_error_unref(error);
        return NULL;
    }
    message->from.stage = from ? sh_stage_ref(from) : NULL;
    message->error = error;
    return message;
}

/* Sends any signal but EXIT. Takes error. */
static int send_signal(sh_worker *worker, enum sh__message_kind kind, sh_stage *from,
                       sh_stage *to, uint64_t number, sh_error *error)
{
    struct sh__message *message = new_signal(worker, kind, from, to, error);
    if (!message)
        return SH_ENOMEM;
    message->signal.number = number;
    return sh__send(worker, message, NULL);
}

/* Sends EXIT. Takes reason. */
static int send_exit(sh_worker *worker, sh_stage *from, sh_stage *to, uint8_t what,
                     sh_error *reason)
{
    struct sh__message *message = new_signal(worker, SH__EXIT, from, to, reason);
    if (!message)
        return SH_ENOMEM;
    message->exit.what = what;
    return sh__send(worker, message, NULL);
}

static void send_link_exit(sh_worker *worker, sh_stage *from, sh_stage *to, uint8_t what,
                           sh_error *reason)
{
    send_exit(worker, from, to, what | SH__EXIT_LINK, sh_error_ref(reason));
}

int sh_stage_exit(sh_worker *worker, sh_stage *stage, sh_error *reason, sh_stage *by)
{
    return send_exit(worker, by, stage, 0, reason);
}

int sh_stage_link(sh_worker *worker, sh_stage *self, sh_stage *other)
{
    if (self == other)
        return SH_OK;
    if (self->phase == SH__PHASE_ENDED)
        return SH_ESTATE;
    struct sh__links *links = sh__links_of(self);
    if (!links)
        return SH_ENOMEM;
    struct sh__bond *bond = find_link(self, other);
    if (bond && !bond->unlinking)
        return SH_OK;
    if (bond)
        bond->unlinking = 0; /* the confirmation will find no unlink */
    else if (sh__bonds_add(&links->linked, other->id, other) < 0)
        return SH_ENOMEM;
    return send_signal(worker, SH__LINK, self, other, 0, NULL);
}

int sh_stage_unlink(sh_worker *worker, sh_stage *self, sh_stage *other)
{
    struct sh__bond *bond = find_link(self, other);
    if (!bond || bond->unlinking)
        return SH_OK;
    bond->unlinking = atomic_fetch_add(&worker->host->next_id, 1) + 1;
    return send_signal(worker, SH__UNLINK, self, other, bond->unlinking, NULL);
}

int sh_stage_monitor(sh_worker *worker, sh_stage *self, sh_stage *other, uint64_t *ref)
{
    struct sh__links *links = self->phase == SH__PHASE_ENDED ? NULL : sh__links_of(self);
    if (!links)
        return self->phase == SH__PHASE_ENDED ? SH_ESTATE : SH_ENOMEM;
    uint64_t key = atomic_fetch_add(&worker->host->next_id, 1) + 1;
    if (sh__bonds_add(&links->watched, key, other) < 0)
        return SH_ENOMEM;
    *ref = key;
    return send_signal(worker, SH__MONITOR_DOWN, self, other, key, NULL);
}

int sh_stage_demonitor(sh_worker *worker, sh_stage *self, uint64_t ref)
{
    struct sh__bond *bond = self->links ? sh__bonds_find(&self->links->watched, ref) : NULL;
    if (!bond)
        return SH_ENOPROC;
    int status = send_signal(worker, SH__DEMONITOR, self, bond->peer, ref, NULL);
    sh__bonds_remove(&self->links->watched, bond);
    return status;
}

/* -- arriving -------------------------------------------------------------------------- */

static sh_error *no_such_stage(void)
{
    return sh_error_fmt(SH_REASON_NOPROC, SH_ENOPROC, NULL, "the stage is not alive");
}

/* Sends a signal that the peer relies on. Takes error. */
static void answer(sh_stage *stage, sh_stage *peer, enum sh__message_kind kind,
                   uint64_t number, sh_error *error)
{
    if (send_signal(stage->worker, kind, stage, peer, number, error) < 0)
        sh__stage_kill_oom(stage);
}

/* Handles LINK. A link that is being given up stays so: the other side is about to learn of it. */
static void be_linked(sh_stage *stage, const struct sh__message *message)
{
    sh_stage *peer = message->from.stage;
    struct sh__links *links = sh__links_of(stage);
    if (find_link(stage, peer))
        return;
    if (links && sh__bonds_add(&links->linked, peer->id, peer) == SH_OK)
        return;
    if (send_exit(stage->worker, stage, peer, SH__EXIT_LINK, sh__error_enomem()) < 0)
        sh__stage_kill_oom(stage);
}

static void be_unlinked(sh_stage *stage, const struct sh__message *message)
{
    sh_stage *peer = message->from.stage;
    uint64_t number = message->signal.number;
    struct sh__bond *bond = find_link(stage, peer);
    if (bond && !bond->unlinking)
        sh__bonds_remove(&stage->links->linked, bond);
    if (number > 0) /* 0: the peer has ended, and nothing is left to confirm */
        answer(stage, peer, SH__UNLINKED, number, NULL);
}

static void unlink_confirmed(sh_stage *stage, const struct sh__message *message)
{
    struct sh__bond *bond = find_link(stage, message->from.stage);
    if (bond && bond->unlinking == message->signal.number)
        sh__bonds_remove(&stage->links->linked, bond);
}

static void be_watched(sh_stage *stage, const struct sh__message *message)
{
    sh_stage *watcher = message->from.stage;
    uint64_t ref = message->signal.number;
    struct sh__links *links = sh__links_of(stage);
    if (!links || sh__bonds_add(&links->watchers, ref, watcher) < 0)
        answer(stage, watcher, SH__GONE, ref, sh__error_enomem());
}

static void be_unwatched(sh_stage *stage, const struct sh__message *message)
{
    struct sh__bond *bond =
        stage->links ? sh__bonds_find(&stage->links->watchers, message->signal.number)
                     : NULL;
    if (bond)
        sh__bonds_remove(&stage->links->watchers, bond);
}

/* Drops a link whose peer has ended or refused it. False: there is no such link any more. */
static bool drop_link(sh_stage *stage, const sh_stage *peer)
{
    struct sh__bond *bond = find_link(stage, peer);
    if (!bond)
        return false;
    bool was_linked = bond->unlinking == 0;
    sh__bonds_remove(&stage->links->linked, bond);
    return was_linked;
}

/* Handles an exit signal for a stage that does not trap exits: the stage ends, whatever it is
 * doing. Only the stage itself ends it with "normal". The first signal counts. */
static void be_ended(sh_stage *stage, struct sh__message *message)
{
    const sh_stage *by = message->from.stage;
    if ((message->exit.what & SH__EXIT_LINK) && !drop_link(stage, by))
        return;
    if (stage->has_exit || stage->phase >= SH__PHASE_ENDING)
        return;
    if (!message->error && by != stage)
        return;
    struct sh__links *links = sh__links_of(stage);
    if (!links) {
        sh__stage_kill_oom(stage);
        return;
    }
    links->exit_reason = message->error;
    links->exit_what = message->exit.what;
    message->error = NULL;
    stage->has_exit = true;
}

static void put_into_mailbox(sh_stage *stage, struct sh__message *message)
{
    stage->stats.messages_in++;
    sh__mailbox_push(&stage->mailbox, message);
    if (!stage->is_waiting && !stage->is_held && !stage->is_absent)
        sh__worker_schedule(stage->worker, stage);
}

static void on_exit_signal(sh_stage *stage, struct sh__message *message)
{
    if (traps_exits(stage)) {
        put_into_mailbox(stage, message);
        return;
    }
    be_ended(stage, message);
    if (!stage->is_absent)
        sh__worker_schedule(stage->worker, stage);
    sh__message_free(stage->worker, message);
}

/* By kind: signals that only change tables. */
static void (*const tables[])(sh_stage *stage, const struct sh__message *message) = {
    [SH__LINK] = be_linked,
    [SH__UNLINK] = be_unlinked,
    [SH__UNLINKED] = unlink_confirmed,
    [SH__MONITOR_DOWN] = be_watched,
    [SH__DEMONITOR] = be_unwatched,
};

void sh__links_deliver(sh_stage *stage, struct sh__message *message)
{
    if (message->kind == SH__EXIT) {
        on_exit_signal(stage, message);
    } else if (message->kind == SH__GONE) {
        put_into_mailbox(stage, message);
    } else {
        tables[message->kind](stage, message);
        sh__message_free(stage->worker, message);
    }
}

/* Handles EXIT from the mailbox. A signal that was there when the stage unlinked itself or took its
 * monitor back no longer concerns it. */
static void take_exit(sh_stage *stage, struct sh__message *message)
{
    bool is_link = (message->exit.what & SH__EXIT_LINK) != 0;
    if (!is_link || drop_link(stage, message->from.stage))
        sh__callback_message(stage, SH__CALLBACK_EXIT, message);
    else
        sh__message_free(stage->worker, message);
}

static void take_gone(sh_stage *stage, struct sh__message *message)
{
    struct sh__links *links = stage->links;
    struct sh__bond *bond =
        links ? sh__bonds_find(&links->watched, message->signal.number) : NULL;
    if (!bond) {
        sh__message_free(stage->worker, message);
        return;
    }
    sh__bonds_remove(&links->watched, bond);
    sh__callback_message(stage, SH__CALLBACK_DOWN, message);
}

void sh__links_receive(sh_stage *stage, struct sh__message *message)
{
    if (message->kind == SH__EXIT)
        take_exit(stage, message);
    else
        take_gone(stage, message);
}

void sh__links_refuse(sh_worker *worker, const struct sh__message *message)
{
    sh_stage *peer = message->from.stage;
    sh_error *error = no_such_stage();
    if (message->kind == SH__LINK)
        send_link_exit(worker, message->to, peer, 0, error);
    else if (message->kind == SH__UNLINK &&
             message->signal.number > 0) /* as if the message had come in time */
        send_signal(worker, SH__UNLINKED, message->to, peer, message->signal.number, NULL);
    else if (message->kind == SH__MONITOR_DOWN)
        send_signal(worker, SH__GONE, message->to, peer, message->signal.number,
                    sh_error_ref(error));
    sh_error_unref(error);
}

/* -- start and end --------------------------------------------------------------------- */

int sh__links_prepare(sh_stage *starter, sh_stage *stage)
{
    struct sh__links *own = sh__links_of(starter), *other = sh__links_of(stage);
    if (!own || !other || sh__bonds_add(&own->linked, stage->id, stage) < 0)
        return SH_ENOMEM;
    int status = sh__bonds_add(&other->linked, starter->id, starter);
    if (status < 0)
        sh__links_undo(starter, stage);
    return status;
}

void sh__links_undo(sh_stage *starter, const sh_stage *stage)
{
    drop_link(starter, stage);
}

sh_error *sh__links_take_exit(sh_stage *stage)
{
    sh_error *reason = stage->links->exit_reason;
    stage->links->exit_reason = NULL;
    stage->has_exit = false;
    return reason;
}

static void tell_linked(sh_stage *stage, uint8_t what, const sh_stage *asker)
{
    const struct sh__bonds *linked = &stage->links->linked;
    for (uint32_t i = 0; i < linked->capacity; i++) {
        const struct sh__bond *bond = &linked->slots[i];
        if (!bond->key || bond->unlinking)
            continue;
        if (bond->peer == asker)
            send_signal(stage->worker, SH__UNLINK, stage, bond->peer, 0, NULL);
        else
            send_link_exit(stage->worker, stage, bond->peer, what, stage->end_reason);
    }
}

static void tell_all(sh_stage *stage, const struct sh__bonds *bonds,
                     enum sh__message_kind kind, sh_error *reason)
{
    for (uint32_t i = 0; i < bonds->capacity; i++)
        if (bonds->slots[i].key)
            send_signal(stage->worker, kind, stage, bonds->slots[i].peer,
                        bonds->slots[i].key, sh_error_ref(reason));
}

void sh__links_end(sh_stage *stage, uint8_t what, const sh_stage *asker)
{
    if (!stage->links)
        return;
    tell_linked(stage, what, asker);
    tell_all(stage, &stage->links->watchers, SH__GONE, stage->end_reason);
    tell_all(stage, &stage->links->watched, SH__DEMONITOR, NULL);
    sh__links_free(stage);
}

void sh__links_free(sh_stage *stage)
{
    struct sh__links *links = stage->links;
    if (!links)
        return;
    stage->links = NULL;
    sh__bonds_fini(&links->linked);
    sh__bonds_fini(&links->watchers);
    sh__bonds_fini(&links->watched);
    sh_error_unref(links->exit_reason);
    sh_free(links);
}

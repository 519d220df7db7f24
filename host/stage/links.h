/* SPDX-License-Identifier: MIT
 *
 * Links, monitors and exit signals, as between processes of Erlang. A stage's struct for them is
 * allocated when the stage is first linked, watched or ended by a signal.
 *
 * Each side of a link keeps the other in a table of its own worker; messages keep the tables
 * consistent:
 *
 *   LINK        "I have linked myself with you"; to a dead stage: EXIT noproc comes back
 *   UNLINK n    "I have unlinked myself"; always confirmed by UNLINKED n, also for a stage
 *               that has ended. Until then the sender ignores LINK from the other side,
 *               which sent it before it knew. (This is Erlang's link protocol: without it,
 *               two sides that unlink and link at the same time can come to different
 *               results.)
 *   EXIT        an exit signal, by a link (its sender has ended) or sent by stage:exit
 *   MONITOR_DOWN n, DEMONITOR n     the sender asks to be told of the end; no longer does
 *   GONE n      the monitored stage has ended
 *
 * They are acted on when they arrive, even while a callback waits; only messages that a callback
 * has to get (EXIT to a stage that traps exits, GONE) go through the mailbox. */
#ifndef SH_LINKS_H
#define SH_LINKS_H

#include "stage/bonds.h"
#include "stage/message.h"

/* Flags of an EXIT (exit.what of the message). The first failure of linked stages is an error;
 * the stages that end with it are neither logged as errors nor counted again. */
enum {
    SH__EXIT_LINK = 1,    /* its sender has ended, and was linked */
    SH__EXIT_LOGGED = 2,  /* the reason is in the log as an error */
    SH__EXIT_COUNTED = 4, /* it is among the host's failures      */
};

struct sh__links {
    struct sh__bonds linked;   /* by the other's id                                   */
    struct sh__bonds watchers; /* by monitor: the stages told of this stage's end     */
    struct sh__bonds watched;  /* by monitor: the stages of whose end it is told      */
    struct sh__seat *seats;    /* in groups, see group.c                              */
    sh_error *exit_reason;     /* with stage->has_exit: that of the signal to end it  */
    uint8_t exit_what;         /* of that signal: SH__EXIT_*; kept until the end      */
};

/* The struct of the stage, made if necessary; NULL: out of memory. */
struct sh__links *sh__links_of(sh_stage *stage);
/* Handles the arrival of a signal for a live stage of this worker. Takes it. */
void sh__links_deliver(sh_stage *stage, struct sh__message *message);
/* Runs the callback for EXIT or GONE, the stage's next message, if it still concerns the stage. */
void sh__links_receive(sh_stage *stage, struct sh__message *message);
/* Answers a signal to a stage that has ended. Borrows it. */
void sh__links_refuse(sh_worker *worker, const struct sh__message *message);
/* Links the starter with a stage that has not begun yet. */
int sh__links_prepare(sh_stage *starter, sh_stage *stage);
/* Undoes sh__links_prepare for a stage that could not begin. */
void sh__links_undo(sh_stage *starter, const sh_stage *stage);
/* Takes the signal that will end the stage; returns its reason (owned). */
sh_error *sh__links_take_exit(sh_stage *stage);
/* Tells the peers of a stage that it has ended; `what` as in EXIT. `asker` waits for its start and
 * learns from the answer that the start failed, so its link ends silently. */
void sh__links_end(sh_stage *stage, uint8_t what, const sh_stage *asker);
/* Drops the stage's struct for links. */
void sh__links_free(sh_stage *stage);

#endif

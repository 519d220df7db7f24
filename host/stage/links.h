/* SPDX-License-Identifier: MIT
 *
 * Links, monitors and exit signals, as between processes of Erlang. What a stage needs for
 * them is allocated when it is first linked, watched or ended by a signal.
 *
 * Each side of a link keeps the other in a table of its own worker; the tables are kept
 * alike by messages:
 *
 *   LINK        "I have linked myself with you"; to a dead stage: EXIT noproc comes back
 *   UNLINK n    "I have unlinked myself"; always confirmed by UNLINKED n, also for a stage
 *               that has ended. Until then the sender ignores LINK from there: it was
 *               sent before the other one knew. (The link protocol of Erlang: without it,
 *               two sides that unlink and link at the same time can come to different
 *               results.)
 *   EXIT        an exit signal, by a link (its sender has ended) or sent by stage:exit
 *   MONITOR_DOWN n, DEMONITOR n     wants to be told of the end; does not any more
 *   GONE n      the monitored stage has ended
 *
 * They are acted on when they arrive, also while a callback waits; only what a callback
 * has to be told of (EXIT to a stage that traps exits, GONE) goes through the mailbox. */
#ifndef SH_LINKS_H
#define SH_LINKS_H

#include "stage/bonds.h"
#include "stage/message.h"

/* What an EXIT says (exit.what of the message). The first failure of linked stages is an error;
 * those that end with it are neither logged as one nor counted again. */
enum {
    SH__EXIT_LINK = 1,    /* its sender has ended, and was linked */
    SH__EXIT_LOGGED = 2,  /* the reason is in the log as an error */
    SH__EXIT_COUNTED = 4, /* it is among the host's failures      */
};

struct sh__links {
    struct sh__bonds linked;   /* by the other's id                                   */
    struct sh__bonds watchers; /* by monitor: who is told of this stage's end         */
    struct sh__bonds watched;  /* by monitor: of whose end this stage is told         */
    struct sh__seat *seats;    /* in groups, see group.c                              */
    sh_error *exit_reason;     /* with stage->has_exit: the signal that is to end it  */
    uint8_t exit_what;         /* of that signal: SH__EXIT_*; kept until its end      */
};

/* The stage's, made when it is needed; NULL: out of memory. */
struct sh__links *sh__links_of(sh_stage *stage);
/* A signal for a stage of this worker that has not ended, on its arrival. Takes it. */
void sh__links_deliver(sh_stage *stage, struct sh__message *message);
/* EXIT or GONE is the stage's next message: its callback, if it still concerns it. */
void sh__links_receive(sh_stage *stage, struct sh__message *message);
/* A signal has come too late. Borrows it. */
void sh__links_refuse(sh_worker *worker, const struct sh__message *message);
/* The stage that starts another one links itself with it before that begins. */
int sh__links_prepare(sh_stage *starter, sh_stage *stage);
/* ... which did not get as far as beginning. */
void sh__links_undo(sh_stage *starter, const sh_stage *stage);
/* Takes the signal that is to end the stage: its reason (owned). */
sh_error *sh__links_take_exit(sh_stage *stage);
/* The stage has ended: its peers are told; `what` as in EXIT. `asker` waits for its start
 * and learns from the answer that it failed: its link ends silently. */
void sh__links_end(sh_stage *stage, uint8_t what, const sh_stage *asker);
/* Drops what a stage has of links. */
void sh__links_free(sh_stage *stage);

#endif

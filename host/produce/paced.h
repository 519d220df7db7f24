/* SPDX-License-Identifier: MIT
 *
 * The rate of a producer: a dispatcher around its dispatcher, which takes and is asked for no more
 * than may be sent now; so what exceeds the rate waits upstream or in the buffer, in order. A
 * producer without a rate has no trace of it. */
#ifndef SH_PACED_H
#define SH_PACED_H

#include "stagehost/stage.h"

/* Checks a rate that is given. SH_EBADOPT with *error. */
int sh__rate_check(const sh_rate *rate, sh_error **error);
/* Puts it around the dispatcher of the stage. SH_ENOMEM: nothing has changed. */
int sh__paced_wrap(sh_stage *stage, const sh_rate *rate);
/* Passes on what may be sent by now. */
void sh__paced_resume(sh_stage *stage);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The rate of a producer: a dispatcher around its dispatcher, which takes and is asked for no more
 * than may be sent now, so that excess events wait upstream or in the buffer, in order. A producer
 * without a rate does not have it. */
#ifndef SH_PACED_H
#define SH_PACED_H

#include "stagehost/stage.h"

/* Checks a rate option. SH_EBADOPT with *error. */
int sh__rate_check(const sh_rate *rate, sh_error **error);
/* Wraps the dispatcher of the stage. SH_ENOMEM: nothing has changed. */
int sh__paced_wrap(sh_stage *stage, const sh_rate *rate);
/* Passes on as many events and asks as the rate allows by now. */
void sh__paced_resume(sh_stage *stage);

#endif

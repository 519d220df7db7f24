/* SPDX-License-Identifier: MIT
 *
 * Options of stages, checked before anything begins. */
#ifndef SH_STAGE_OPTS_H
#define SH_STAGE_OPTS_H

#include "stagehost/stage.h"

/* Refuses an option: the error says which one, and `fmt` with `value` why. SH_EBADOPT. */
int sh__bad_option(sh_error **error, const char *name, const char *fmt, const char *value);
/* SH_EBADOPT with *error: these can't be the options of a stage. */
int sh__stage_opts_check(const sh_host *host, const sh_stage_opts *opts, sh_error **error);

#endif

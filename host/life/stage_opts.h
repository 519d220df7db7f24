/* SPDX-License-Identifier: MIT
 *
 * Options of stages, checked before the start begins. */
#ifndef SH_STAGE_OPTS_H
#define SH_STAGE_OPTS_H

#include "stagehost/stage.h"

/* Refuses an option: the error names it, and `fmt` with `value` says why. SH_EBADOPT. */
int sh__bad_option(sh_error **error, const char *name, const char *fmt, const char *value);
/* Checks the options of a stage. SH_EBADOPT with *error. */
int sh__stage_opts_check(const sh_host *host, const sh_stage_opts *opts, sh_error **error);

#endif

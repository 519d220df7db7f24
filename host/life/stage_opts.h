/* SPDX-License-Identifier: MIT
 *
 * Options of stages and subscriptions, checked before anything begins. */
#ifndef SH_STAGE_OPTS_H
#define SH_STAGE_OPTS_H

#include "stagehost.h"

/* Refuses an option: the error says which one, and `fmt` with `value` why. SH_EBADOPT. */
int sh__bad_option(sh_error **error, const char *name, const char *fmt, const char *value);
/* SH_EBADOPT with *error: these can't be the options of a stage. */
int sh__stage_opts_check(const sh_stage_opts *opts, sh_error **error);

/* subscribe_opts.c: checks all bounds and fills the defaults in. SH_EBADOPT with *error. */
int sh__subscribe_opts_check(sh_subscribe_opts *opts, sh_error **error);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The engine's log lines. */
#ifndef SH_LOG_H
#define SH_LOG_H

#include "stagehost/host.h"

/* Logs one line, if the level is enabled. `stage` and `error` may be NULL; all arguments are
 * borrowed. Any thread. */
void sh__log(sh_host *host, sh_log_level level, sh_log_code code, const sh_stage *stage,
             const sh_error *error, const char *fmt, ...);

#endif

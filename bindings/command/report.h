/* SPDX-License-Identifier: MIT
 *
 * The end of a run: the loss ledger and the exit status. */
#ifndef REPORT_H
#define REPORT_H

#include "command/log_sink.h"
#include "command/status.h"

/* Says what is unfinished and where, what was discarded, and, when the log level kept it
 * back, what failed first. After sh_host_run. */
enum cli_status report_end(struct log_sink *sink, const sh_host *host, sh_log_level level);
/* From here on an exit() of some library fails too if the output can't be written. Once. */
void report_guard_exit(void);
/* Writes what the script has printed and is still buffered. An output that can't be written
 * is a failure, also when it was noticed earlier; but for a pipe that nobody reads any more. */
enum cli_status report_flush_stdout(struct log_sink *sink);

#endif

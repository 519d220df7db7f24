/* SPDX-License-Identifier: MIT
 *
 * The end of a run: the loss ledger and the exit status. */
#ifndef REPORT_H
#define REPORT_H

#include "command/log_sink.h"
#include "command/status.h"

/* Reports the unfinished events and their places, the discarded events, and the first failure
 * if the log level suppressed it. After sh_host_run. */
enum cli_status report_end(struct log_sink *sink, const sh_host *host, sh_log_level level);
/* From now on an exit() of a library fails too if the output can't be written. Called once. */
void report_guard_exit(void);
/* Writes the script's output that is still buffered. An output that can't be written is a
 * failure, also when it was noticed earlier, except a pipe without a reader. */
enum cli_status report_flush_stdout(struct log_sink *sink);

#endif

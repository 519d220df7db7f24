/* SPDX-License-Identifier: MIT
 *
 * The part of the report at the end about events that crossed between workers. */
#ifndef CROSSINGS_H
#define CROSSINGS_H

#include "command/log_sink.h"

/* Reports what crossed between stages and how long that took, and names the stages whose events
 * took longer to cross than to be handled. The instances of a stage ("count.1", "count.2") count
 * as one. After sh_host_run. */
void crossings_report(struct log_sink *sink, const sh_host *host);

#endif

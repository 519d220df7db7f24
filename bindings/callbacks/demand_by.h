/* SPDX-License-Identifier: MIT
 *
 * handle_demand(self, demand, by) of a stage with the option demand_by. */
#ifndef SHL_DEMAND_BY_H
#define SHL_DEMAND_BY_H

#include "state/lua_stage.h"

/* Runs the callback; `by` is a list of { from =, demand =, partition = }, one entry for each
 * subscription that has open demand now. */
int shl_demand_by(struct shl_stage *s, int64_t n, sh_result *r);

#endif

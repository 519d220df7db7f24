/* SPDX-License-Identifier: MIT
 *
 * Dead letters of C values: letters of sh_values_ops. */
#ifndef SH_VALUES_LETTERS_H
#define SH_VALUES_LETTERS_H

#include "stagehost/events.h"

/* `letters` of sh_list_ops. */
sh_list *sh__values_letters(sh_worker *worker, const sh_batch *events,
                            const sh_error *error, const char *stage, uint32_t deliveries);

#endif

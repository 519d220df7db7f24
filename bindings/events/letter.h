/* SPDX-License-Identifier: MIT
 *
 * Dead letters. */
#ifndef SHL_LETTER_H
#define SHL_LETTER_H

#include "stagehost.h"

/* Makes the dead letters of a list's events: `letters` of sh_list_ops. */
sh_list *shl_letters(sh_worker *worker, const sh_batch *events, const sh_error *error,
                     const char *stage, uint32_t deliveries);

#endif

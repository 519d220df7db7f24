/* SPDX-License-Identifier: MIT
 *
 * Dead letters. */
#ifndef SHL_LETTER_H
#define SHL_LETTER_H

#include "stagehost.h"

/* The dead letters of a list's events; as sh_list_ops has it. */
sh_list *shl_letters(sh_worker *worker, const sh_batch *events, const sh_error *error,
                     const char *stage, uint32_t deliveries);

#endif

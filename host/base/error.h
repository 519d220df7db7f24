/* SPDX-License-Identifier: MIT
 *
 * Errors beyond the public header. */
#ifndef SH_ERROR_H
#define SH_ERROR_H

#include "stagehost/base.h"

/* The error of a stage that could not go on, or be linked, for lack of memory: a new reference. */
sh_error *sh__error_enomem(void);

#endif

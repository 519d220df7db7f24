/* SPDX-License-Identifier: MIT
 *
 * Packed strings for the specs of text operators. */
#ifndef SPEC_TEXT_RIG_H
#define SPEC_TEXT_RIG_H

#include "stagehost/strings.h"

/* A block of the parts of `text` between "|"; its strings have one more byte between them. */
sh_strings *rig_block(const char *text);
/* Its strings with "|" behind each, where NUL bytes are written as "0"; static. Takes `block`;
 * NULL: "none". */
const char *rig_text(sh_strings *block);

#endif

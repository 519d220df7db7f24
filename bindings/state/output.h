/* SPDX-License-Identifier: MIT
 *
 * Standard output for scripts: print for stages on several workers, and the end of a program whose
 * output is not read any more. */
#ifndef SHL_OUTPUT_H
#define SHL_OUTPUT_H

#include "state/context.h"

/* Replaces the global print by one that writes whole lines. Raises. */
void shl_output_open_print(struct shl_guard *guard, lua_State *L);
/* Does so, and makes print, io.write, io.flush and these methods of files notice a broken pipe.
 * Raises. */
void shl_output_open(struct shl_context *ctx, lua_State *L);

#endif

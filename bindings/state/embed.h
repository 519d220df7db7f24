/* SPDX-License-Identifier: MIT
 *
 * The files of lua/ as they are built into the library. */
#ifndef SHL_EMBED_H
#define SHL_EMBED_H

#include <stddef.h>

/* The text of module `name` ("stagehost", "stagehost.options"), or NULL. */
const char *shl_embedded_module(const char *name, size_t *len);

#endif

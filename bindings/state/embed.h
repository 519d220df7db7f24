/* SPDX-License-Identifier: MIT
 *
 * The files of lua/ as they are built into the library. */
#ifndef SHL_EMBED_H
#define SHL_EMBED_H

#include <stddef.h>

struct shl_embedded {
    const char *name; /* of the module: "stagehost.options" */
    const char *path; /* of its file below lua/: "stagehost/options/init.lua" */
    size_t len;
    const char *text;
};

/* The module of that name, which stays for ever, or NULL. */
const struct shl_embedded *shl_embedded_module(const char *name);

#endif

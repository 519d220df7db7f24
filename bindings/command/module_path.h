/* SPDX-License-Identifier: MIT
 *
 * The places where require looks: package.path and package.cpath of a script. */
#ifndef MODULE_PATH_H
#define MODULE_PATH_H

#include "command/text.h"

/* Adds the templates of `list` ("a/?.lua;b/?.lua") that are not in `out` yet; empty ones
 * are left out. */
void module_path_add(struct cli_text *out, const char *list);
/* Like module_path_add; `;;` in `list` stands for `fallback`, as in LUA_PATH. NULL and "": adds
 * nothing. */
void module_path_add_with_default(struct cli_text *out, const char *list,
                                  const char *fallback);

/* All places where require searches for `script` (a file, "-", or NULL), in order: the
 * script's folder, STAGEHOST_PATH, LUA_PATH, the installed share/stagehost, Lua's own. For
 * C modules: LUA_CPATH, Lua's own, the folders of Debian's Lua 5.1 modules. */
void module_path_for_script(const char *script, struct cli_text *path,
                            struct cli_text *cpath);

#endif

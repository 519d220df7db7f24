/* SPDX-License-Identifier: MIT */
#include "command/module_path.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

/* -- lists of templates ---------------------------------------------------------------- */

static bool has_template(const char *list, const char *word, size_t len)
{
    while (*list) {
        size_t n = strcspn(list, ";");
        if (n == len && strncmp(list, word, len) == 0)
            return true;
        list += n + (list[n] == ';');
    }
    return false;
}

static void add_range(struct cli_text *out, const char *list, size_t len)
{
    const char *end = list + len;
    while (list < end) {
        size_t n = strcspn(list, ";");
        if (n > (size_t)(end - list))
            n = (size_t)(end - list);
        if (n > 0 && !has_template(cli_text_get(out), list, n)) {
            if (out->len > 0)
                cli_text_add(out, ";");
            cli_text_add_bytes(out, list, n);
        }
        list += n + 1;
    }
}

void module_path_add(struct cli_text *out, const char *list)
{
    add_range(out, list, strlen(list));
}

void module_path_add_with_default(struct cli_text *out, const char *list,
                                  const char *fallback)
{
    if (!list)
        return;
    const char *gap = strstr(list, ";;");
    if (!gap) {
        module_path_add(out, list);
        return;
    }
    add_range(out, list, (size_t)(gap - list));
    module_path_add(out, fallback);
    module_path_add(out, gap + 2);
}

/* -- folders --------------------------------------------------------------------------- */

/* "<folder>/?.lua;<folder>/?/init.lua" for the folder of `file`. */
static void add_folder_of(struct cli_text *out, const char *file)
{
    const char *slash = strrchr(file, '/');
    struct cli_text templates = {0};
    int len = slash ? (int)(slash - file) : 1;
    const char *folder = slash ? file : ".";
    cli_text_addf(&templates, "%.*s/?.lua;%.*s/?/init.lua", len, folder, len, folder);
    module_path_add(out, cli_text_get(&templates));
    cli_text_fini(&templates);
}

/* A script that is a symbolic link finds the modules beside the real file. */
static void add_script_folder(struct cli_text *out, const char *script)
{
    struct stat info;
    if (!script || strcmp(script, "-") == 0)
        script = "";
    char *real = NULL;
    if (lstat(script, &info) == 0 && S_ISLNK(info.st_mode))
        real = realpath(script, NULL);
    add_folder_of(out, real ? real : script);
    free(real);
}

/* <prefix>/share/stagehost for a command in <prefix>/bin, wherever it was installed. */
static void add_share_folder(struct cli_text *out)
{
    char executable[4096];
    size_t len = sizeof executable;
    if (uv_exepath(executable, &len) < 0)
        return;
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(executable, '/');
        if (slash)
            *slash = '\0';
    }
    struct cli_text templates = {0};
    cli_text_addf(&templates, "%s/share/stagehost/?.lua;%s/share/stagehost/?/init.lua",
                  executable, executable);
    module_path_add(out, cli_text_get(&templates));
    cli_text_fini(&templates);
}

/* -- Lua's own ------------------------------------------------------------------------- */

/* The values of package.path and package.cpath without LUA_PATH and LUA_CPATH, which only the
 * library knows. */
static void read_defaults(struct cli_text *path, struct cli_text *cpath)
{
    lua_State *L = luaL_newstate();
    if (!L)
        return;
    lua_pushboolean(L, true);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    lua_pushcfunction(L, luaopen_package);
    lua_call(L, 0, 1); /* package */
    lua_getfield(L, -1, "path");
    lua_getfield(L, -2, "cpath"); /* package, path, cpath */
    cli_text_add(path, lua_tostring(L, -2));
    cli_text_add(cpath, lua_tostring(L, -1));
    lua_close(L);
}

/* Where Debian puts Lua 5.1's modules; a LuaJIT built from its sources does not look there. */
static const char lua51_path[] = "/usr/local/share/lua/5.1/?.lua;"
                                 "/usr/local/share/lua/5.1/?/init.lua;"
                                 "/usr/share/lua/5.1/?.lua;"
                                 "/usr/share/lua/5.1/?/init.lua";
static const char lua51_cpath[] =
    "/usr/local/lib/lua/5.1/?.so;"
#ifdef STAGEHOST_LIBRARY_ARCHITECTURE
    "/usr/lib/" STAGEHOST_LIBRARY_ARCHITECTURE "/lua/5.1/?.so;"
#endif
    "/usr/lib/lua/5.1/?.so";

/* An empty variable counts as not set. */
static const char *get_variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

void module_path_for_script(const char *script, struct cli_text *path,
                            struct cli_text *cpath)
{
    struct cli_text own_path = {0}, own_cpath = {0};
    read_defaults(&own_path, &own_cpath);
    add_script_folder(path, script);
    module_path_add_with_default(path, get_variable("STAGEHOST_PATH"), "");
    module_path_add_with_default(path, get_variable("LUA_PATH"), cli_text_get(&own_path));
    add_share_folder(path);
    module_path_add(path, cli_text_get(&own_path));
    module_path_add(path, lua51_path);
    module_path_add_with_default(cpath, get_variable("LUA_CPATH"),
                                 cli_text_get(&own_cpath));
    module_path_add(cpath, cli_text_get(&own_cpath));
    module_path_add(cpath, lua51_cpath);
    cli_text_fini(&own_path);
    cli_text_fini(&own_cpath);
}

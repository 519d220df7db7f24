/* SPDX-License-Identifier: MIT
 *
 * What installed_test.sh builds against an installed stagehost: one script in one host. */
#include <stagehost.h>
#include <stagehost_lua.h>
#include <stdio.h>
#include <string.h>

static const char chunk[] =
    "require 'stagehost' io.stdout:write('hello from an embedded script\\n')";

static int run(sh_host *host)
{
    sh_lua_script script = {.chunk = chunk, .len = strlen(chunk), .name = "=installed"};
    sh_stage *stage = NULL;
    sh_error *error = NULL;
    int status = sh_lua_start_script(sh_host_worker0(host), &script, &stage, &error);
    if (status != SH_OK) {
        fprintf(stderr, "%s: %s\n", sh_err_name(status), sh_error_get(error)->message);
        sh_error_unref(error);
        return status;
    }
    sh_stage_unref(stage);
    return sh_host_run(host);
}

int main(void)
{
    sh_worker_hooks *hooks = sh_lua_hooks_new(&(sh_lua_opts){0});
    if (!hooks)
        return 1;
    sh_host *host = NULL;
    int status = sh_host_new(&(sh_host_opts){.workers = 1, .hooks = *hooks}, &host);
    if (status == SH_OK) {
        status = run(host);
        sh_host_free(host);
    }
    sh_lua_hooks_free(hooks);
    return status == SH_OK ? 0 : 1;
}

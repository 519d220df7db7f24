/* SPDX-License-Identifier: MIT
 *
 * A request of libuv's thread pool that does not come back until the host is gone: the host
 * ends without it, and what it touches when it does come back is still there. */
#include <fcntl.h>
#include <malloc.h>
#include <stagehost_lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { WORKERS = 2 };

/* On every worker a stage opens a fifo that nobody writes to, and ends. Requests are taken in
 * turn: when the second one is answered, a thread has begun with the first, and it can't be
 * cancelled any more. */
static const char script[] =
    "local stagehost = require 'stagehost'\n"
    "local Opener = stagehost.process {\n"
    "    handle_call = function(_, path)\n"
    "        local stagehost = require 'stagehost'\n"
    "        stagehost.uv.fs_open(path, 'r', 0, function()\n"
    "            io.open(path .. '.called', 'w'):close()\n"
    "        end)\n"
    "        stagehost.await(stagehost.uv.fs_stat, '/')\n"
    "        return true\n"
    "    end }\n"
    "for worker = 0, stagehost.workers() - 1 do\n"
    "    local opener = stagehost.start(Opener, { worker = worker })\n"
    "    assert(opener:call(arg[worker + 1]))\n"
    "    opener:stop()\n"
    "end\n";

static void run(sh_worker_hooks *hooks, const char *const paths[WORKERS])
{
    sh_host_opts opts = {.workers = WORKERS, .hooks = *hooks};
    sh_lua_script start = {.chunk = script,
                           .len = strlen(script),
                           .name = "=script",
                           .args = paths,
                           .n_args = WORKERS};
    sh_host *host;
    CHECK_INT(sh_host_new(&opts, &host), SH_OK);
    CHECK_INT(sh_lua_start_script(sh_host_worker0(host), &start, NULL, NULL), SH_OK);
    CHECK_INT(sh_host_run(host), SH_OK);
    const sh_error *failure = sh_host_first_failure(host);
    CHECK_TEXT(failure ? sh_error_get(failure)->message : NULL, NULL);
    sh_host_free(host);
}

/* Lets the open that waits in a thread of libuv's go on, and gives it time to. */
static void come_back(const char *path)
{
    int writer = open(path, O_WRONLY);
    CHECK(writer >= 0);
    usleep(100000);
    close(writer);
}

static void check_not_called(const char *path)
{
    char called[128];
    snprintf(called, sizeof called, "%s.called", path);
    CHECK_INT(access(called, F_OK), -1);
}

int main(void)
{
    char folder[] = "/tmp/stuck_test.XXXXXX", fifos[WORKERS][64];
    const char *paths[WORKERS];
    mallopt(M_PERTURB, 0xA5); /* what libuv must not touch any more would make it abort */
    CHECK(mkdtemp(folder) != NULL);
    for (int i = 0; i < WORKERS; i++) {
        snprintf(fifos[i], sizeof fifos[i], "%s/%d", folder, i);
        paths[i] = fifos[i];
        CHECK_INT(mkfifo(paths[i], 0600), 0);
    }
    sh_worker_hooks *hooks = sh_lua_hooks_new(NULL);
    run(hooks, paths);
    CHECK(sh_lua_hooks_are_stuck(hooks));
    sh_lua_hooks_free(hooks);
    for (int i = 0; i < WORKERS; i++) {
        come_back(paths[i]);
        check_not_called(paths[i]);
        unlink(paths[i]);
    }
    rmdir(folder);
    int status = test_end();
    fflush(NULL);
    _exit(status); /* the Lua states are left behind: see sh_lua_hooks_are_stuck */
}

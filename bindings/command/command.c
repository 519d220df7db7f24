/* SPDX-License-Identifier: MIT
 *
 * The command: options -> script -> host -> report. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "command/help.h"
#include "command/log_sink.h"
#include "command/module_path.h"
#include "command/options.h"
#include "command/report.h"
#include "command/script_file.h"
#include "command/signals.h"
#include "command/status.h"
#include "command/test_verb.h"
#include "command/watch.h"
#include "stagehost_lua.h"

struct command {
    struct cli_options options;
    struct log_sink sink;
    struct script_file script;
    uv_loop_t loop; /* worker 0's; ours, so that the signals' handle can outlive the run */
    sh_worker_hooks *hooks;
    sh_host *host;
    sh_stage *script_stage; /* NULL until it is started */
    struct signals signals;
    struct watch watch;
    bool is_stuck; /* a thread of libuv does not come back */
};

/* -- before and around the run --------------------------------------------------------- */

/* A closed standard descriptor would be reused for the next file opened, and print() would write
 * into that file. Each is filled with a descriptor that refuses its normal use. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(CLI_STATUS_FAILED);
}

/* Chooses the status that says more, of a better and a worse one. */
static enum cli_status first_failure(enum cli_status first, enum cli_status second)
{
    return first != CLI_STATUS_OK ? first : second;
}

static enum cli_status print_and_flush(struct cli_text *text, struct log_sink *sink)
{
    fputs(cli_text_get(text), stdout);
    cli_text_fini(text);
    return report_flush_stdout(sink);
}

static enum cli_status complain_of_usage(const char *why)
{
    struct cli_text usage = {0};
    cli_help_usage(&usage);
    if (*why)
        fprintf(stderr, "stagehost: %s\n", why);
    fputs(cli_text_get(&usage), stderr);
    cli_text_fini(&usage);
    return CLI_STATUS_USAGE;
}

/* -- the run --------------------------------------------------------------------------- */

static sh_worker_hooks *make_hooks(const struct cli_options *options)
{
    struct cli_text path = {0}, cpath = {0};
    module_path_for_script(options->script, &path, &cpath);
    sh_lua_opts opts = {.path = cli_text_get(&path),
                        .cpath = cli_text_get(&cpath),
                        .libraries = options->libraries,
                        .n_libraries = options->n_libraries,
                        .allow_bytecode = options->allow_bytecode,
                        .gc_stress = getenv("STAGEHOST_GC_STRESS") != NULL};
    sh_worker_hooks *hooks = sh_lua_hooks_new(&opts);
    cli_text_fini(&path);
    cli_text_fini(&cpath);
    return hooks;
}

/* After a failed script, or a failed stage once the script has returned, the stages left would run
 * without purpose: they are drained. A script that still runs decides for itself. */
static void wind_down(void *data)
{
    struct command *command = data;
    if (!command->script_stage || sh_stage_is_alive(command->script_stage))
        return;
    sh_host_drain(command->host, command->options.drain_timeout_ms);
}

/* With a virtual clock nothing can run any more, and nothing ever will. */
static void give_up(void *data)
{
    struct command *command = data;
    log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL,
                      "nothing can run any more: every stage waits");
    sh_host_dump(command->host);
    sh_host_stop(command->host);
}

static int open_host(struct command *command)
{
    const struct cli_options *options = &command->options;
    command->hooks = make_hooks(options);
    if (!command->hooks)
        return SH_ENOMEM;
    sh_host_opts opts = {.workers = options->workers,
                         .seeded = options->seeded,
                         .seed = options->seed,
                         .virtual_clock = options->virtual_clock,
                         .on_stall = give_up,
                         .stall_data = command,
                         .loop = &command->loop,
                         .hooks = *command->hooks,
                         .log = log_sink_record,
                         .log_data = &command->sink,
                         .log_level = options->log_level,
                         .max_demand = (int64_t)options->max_demand,
                         .on_failure = wind_down,
                         .failure_data = command,
                         .drain_timeout_ms = options->drain_timeout_ms};
    return sh_host_new(&opts, &command->host);
}

static int start_script(struct command *command)
{
    const struct script_file *file = &command->script;
    sh_lua_script script = {.chunk = cli_text_get(&file->text),
                            .len = file->text.len,
                            .name = cli_text_get(&file->chunk_name),
                            .arg0 = file->arg0,
                            .args = command->options.args,
                            .n_args = command->options.n_args};
    sh_error *error = NULL;
    int status = sh_lua_start_script(sh_host_worker0(command->host), &script,
                                     &command->script_stage, &error);
    if (status < 0) {
        const char *message = error ? sh_error_get(error)->message : NULL;
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "%s",
                          message ? message : sh_strerror(status));
        sh_error_unref(error);
    }
    return status;
}

static enum cli_status run_host(struct command *command)
{
    signals_ignore_writes();
    int status = signals_open(&command->signals, command->host, &command->loop,
                              command->options.drain_timeout_ms);
    if (status < 0) {
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "signals: %s",
                          uv_strerror(status));
        return CLI_STATUS_FAILED;
    }
    enum cli_status end = CLI_STATUS_FAILED;
    status = watch_open(&command->watch, &command->options, command->host, &command->sink);
    if (status < 0)
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "watchdog: %s",
                          uv_strerror(status));
    else if (start_script(command) == SH_OK) {
        sh_host_run(command->host);
        sh_stage_unref(command->script_stage);
        watch_close(&command->watch);
        end = report_end(&command->sink, command->host, command->options.log_level);
    }
    watch_close(&command->watch);
    signals_close(&command->signals);
    return end;
}

static enum cli_status run_loop(struct command *command)
{
    int status = uv_loop_init(&command->loop);
    if (status < 0) {
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "event loop: %s",
                          uv_strerror(status));
        return CLI_STATUS_FAILED;
    }
    enum cli_status end = CLI_STATUS_FAILED;
    status = open_host(command);
    if (status == SH_OK)
        end = run_host(command);
    else
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "%s",
                          sh_strerror(status));
    sh_host_free(command->host);
    command->is_stuck = command->hooks && sh_lua_hooks_are_stuck(command->hooks);
    sh_lua_hooks_free(command->hooks);
    if (!command->is_stuck) {
        uv_run(&command->loop, UV_RUN_DEFAULT);
        uv_loop_close(&command->loop);
    }
    return end;
}

static enum cli_status run_script(struct command *command, const char *program)
{
    struct cli_text why = {0};
    enum cli_status end = CLI_STATUS_NO_SCRIPT;
    if (script_file_read(&command->script, &command->options, program, &why))
        end = run_loop(command);
    else
        log_sink_diagnose(&command->sink, SH_LOG_ERROR, NULL, NULL, "%s",
                          cli_text_get(&why));
    script_file_fini(&command->script);
    cli_text_fini(&why);
    return first_failure(end, report_flush_stdout(&command->sink));
}

/* -- requests -------------------------------------------------------------------------- */

static enum cli_status run_command(struct command *command, const char *program)
{
    struct cli_options *options = &command->options;
    if (!options->script && options->n_code == 0) {
        if (isatty(STDIN_FILENO))
            return complain_of_usage("");
        options->script = "-";
    }
    /* The progress that Lua shows on a terminal (progress.lua) is as quiet as the log. */
    if (options->log_level <= SH_LOG_ERROR)
        setenv("STAGEHOST_LOG_LEVEL", "error", 1);
    return run_script(command, program);
}

/* The tests are run by a module, as arguments of which it finds the options. */
static enum cli_status test_command(struct command *command, const char *program)
{
    struct test_verb verb;
    enum cli_status status = CLI_STATUS_FAILED;
    if (test_verb_open(&verb, &command->options))
        status = run_script(command, program);
    test_verb_close(&verb);
    return status;
}

static enum cli_status obey(struct command *command, enum cli_request request,
                            const char *program, const char *why)
{
    struct cli_text text = {0};
    switch (request) {
    case CLI_RUN:
        return run_command(command, program);
    case CLI_TEST:
        return test_command(command, program);
    case CLI_TEST_HELP:
        cli_help_test(&text);
        return print_and_flush(&text, &command->sink);
    case CLI_HELP:
        cli_help(&text);
        return print_and_flush(&text, &command->sink);
    case CLI_VERSION:
        cli_help_version(&text);
        return print_and_flush(&text, &command->sink);
    case CLI_USAGE_ERROR:
        break;
    }
    return complain_of_usage(why);
}

int main(int argc, char **argv)
{
    struct command command = {0};
    struct cli_text why = {0};
    fill_standard_descriptors();
    report_guard_exit();
    enum cli_request request =
        cli_options_parse(&command.options, argc, argv, getenv, &why);
    log_sink_open(&command.sink, STDERR_FILENO,
                  log_sink_style(STDERR_FILENO, command.options.log_json,
                                 getenv("NO_COLOR"), getenv("TERM")));
    const char *program = argc > 0 ? argv[0] : "stagehost";
    enum cli_status status = obey(&command, request, program, cli_text_get(&why));
    log_sink_close(&command.sink);
    cli_options_fini(&command.options);
    cli_text_fini(&why);
    if (command.is_stuck)
        _exit((int)status); /* exit() would wait for libuv's threads */
    return status;
}

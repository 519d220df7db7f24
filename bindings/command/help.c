/* SPDX-License-Identifier: MIT */
#include "command/help.h"

#include <luajit.h>
#include <string.h>
#include <uv.h>

#include "command/options.h"

void cli_help_usage(struct cli_text *out)
{
    cli_text_add(out, "usage: stagehost [run] [option ...] script.lua|- [argument ...]\n"
                      "       stagehost test [option ...] [FILE ...]\n"
                      "       stagehost --help | test --help\n");
}

/* "  -w, --workers N        " padded to the column of the help texts. */
static void add_option_head(struct cli_text *out, const struct cli_option *option)
{
    enum { HELP_COLUMN = 27 };
    size_t start = out->len;
    if (option->letter)
        cli_text_addf(out, "  -%c", option->letter);
    else
        cli_text_add(out, "    ");
    if (option->name)
        cli_text_addf(out, "%s--%s", option->letter ? ", " : "  ", option->name);
    if (option->value)
        cli_text_addf(out, " %s", option->value);
    size_t width = out->len - start;
    cli_text_addf(out, "%*s", width < HELP_COLUMN ? (int)(HELP_COLUMN - width) : 1, "");
}

static void add_option(struct cli_text *out, const struct cli_option *option)
{
    add_option_head(out, option);
    const char *second = strchr(option->help, '\n');
    if (!second) {
        cli_text_addf(out, "%s\n", option->help);
        return;
    }
    cli_text_addf(out, "%.*s\n%27s%s\n", (int)(second - option->help), option->help, "",
                  second + 1);
}

static void add_variables(struct cli_text *out, const struct cli_option *table)
{
    cli_text_add(out, "\nEnvironment (an option given on the command line wins):\n");
    for (const struct cli_option *option = table; option->help; option++) {
        struct cli_text name = {0};
        if (cli_option_env_name(option, &name))
            cli_text_addf(out, "  %-24s as --%s\n", cli_text_get(&name), option->name);
        cli_text_fini(&name);
    }
}

static void add_environment(struct cli_text *out)
{
    add_variables(out, cli_option_table);
    cli_text_add(
        out,
        "  STAGEHOST_PATH           module templates, searched after the script's folder\n"
        "  LUA_PATH, LUA_CPATH      as for lua: ;; stands for the default\n"
        "  NO_COLOR                 no colours in messages\n");
}

void cli_help(struct cli_text *out)
{
    cli_help_usage(out);
    cli_text_add(
        out,
        "\n"
        "Runs a Lua script of demand-driven stages until the script has returned and no\n"
        "stage is alive. With - the script is read from standard input; its arguments are\n"
        "arg[1], arg[2] ... Standard output belongs to the script, messages go to\n"
        "standard error.\n"
        "\n"
        "Options:\n");
    for (const struct cli_option *option = cli_option_table; option->help; option++)
        add_option(out, option);
    cli_text_add(
        out,
        "  --                       end of options: the next word is the script, even if\n"
        "                           it starts with -\n");
    add_environment(out);
    cli_text_add(
        out,
        "\n"
        "Signals:\n"
        "  TERM, INT                stop the producers, handle events under way, then "
        "exit;\n"
        "                           a second signal, half a second later, stops at once\n"
        "  USR1                     log each stage with its demand, queues and last error, "
        "and\n"
        "                           callbacks that do not return\n"
        "\n"
        "Exit status:\n"
        "  0   finished, or drained completely after a signal\n"
        "  64  the command line is wrong\n"
        "  66  the script does not exist or can't be read\n"
        "  70  the script or a stage failed, or standard output could not be written\n"
        "      (a pipe that nobody reads any more, as before head, is no failure)\n"
        "  75  stopped before the drain was complete, or events are left unfinished\n"
        "\n"
        "Examples:\n"
        "  stagehost -w 4 pipeline.lua access.log\n"
        "  stagehost -e 'pipeline{source.lines\"-\",map(string.upper),sink.print()}:run()' "
        "<FILE\n"
        "  STAGEHOST_LOG_FORMAT=json stagehost pipeline.lua 2>pipeline.log\n");
}

void cli_help_test(struct cli_text *out)
{
    cli_text_add(out, "usage: stagehost test [option ...] [FILE ...]\n"
                      "\n"
                      "Runs the tests of Lua files, each test in a process and a host of "
                      "its own, with one\n"
                      "worker, a seeded order of stages and a virtual clock. A folder "
                      "stands for all files\n"
                      "below it that are called *_test.lua; without a FILE, the current "
                      "folder is meant.\n"
                      "\n"
                      "  local test = require \"stagehost.test\"\n"
                      "  test \"two words\" (function() ... end)\n"
                      "\n"
                      "Options:\n");
    for (const struct cli_option *option = cli_test_table; option->help; option++)
        add_option(out, option);
    add_variables(out, cli_test_table);
    cli_text_add(out,
                 "\n"
                 "Exit status:\n"
                 "  0   all tests have passed\n"
                 "  64  the command line is wrong\n"
                 "  66  a FILE does not exist, or there are no tests\n"
                 "  70  a test has failed\n"
                 "\n"
                 "Examples:\n"
                 "  stagehost test scripts/tests\n"
                 "  stagehost test --filter parse --seed 7 --repeat 100 parse_test.lua\n");
}

void cli_help_version(struct cli_text *out)
{
    cli_text_addf(out, "stagehost %s (%s, libuv %s)\n", SH_VERSION, LUAJIT_VERSION,
                  uv_version_string());
}

/* SPDX-License-Identifier: MIT
 *
 * Several pieces of code become one chunk that loads them one after the other, each under
 * its own name and with locals of its own; the last gets the arguments. */
#include "command/script_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char command_line_name[] = "=(command line)";

/* -- reading --------------------------------------------------------------------------- */

static bool read_all(int fd, struct cli_text *out)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n == 0)
            break;
        if (n > 0)
            cli_text_add_bytes(out, block, (size_t)n);
        else if (errno != EINTR)
            return false;
    }
    errno = ENOMEM;
    return !out->is_cut;
}

static bool read_path(const char *path, struct cli_text *out, struct cli_text *why)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read_all(fd, out);
    if (!ok)
        cli_text_addf(why, "%s: %s",
                      is_stdin ? "standard input"
                      : *path  ? path
                               : "\"\"",
                      errno == ENOENT ? "no such script" : strerror(errno));
    if (fd >= 0 && !is_stdin)
        close(fd);
    return ok;
}

/* -- several pieces -------------------------------------------------------------------- */

/* Adds the text as a Lua string; bytes that are not plain become decimal escapes. */
static void add_literal(struct cli_text *out, const char *bytes, size_t len)
{
    cli_text_add(out, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            cli_text_addf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            cli_text_addf(out, "\\%03u", c);
        else
            cli_text_add_bytes(out, bytes + i, 1);
    }
    cli_text_add(out, "\"");
}

/* A call in tail position leaves no frame of this chunk in the script's tracebacks. */
static void add_piece(struct cli_text *out, const char *code, size_t len, const char *name,
                      bool is_last)
{
    cli_text_add(out, is_last ? "return run(" : "run(");
    add_literal(out, code, len);
    cli_text_add(out, ", ");
    add_literal(out, name, strlen(name));
    cli_text_add(out, is_last ? ", ...)\n" : ")\n");
}

static void add_loader(struct cli_text *out)
{
    cli_text_add(out, "local function run(code, name, ...)\n"
                      "local chunk, message = loadstring(code, name)\n"
                      "if not chunk then error(message, 0) end\n"
                      "return chunk(...)\n"
                      "end\n");
}

static void join_pieces(struct script_file *script, const struct cli_options *options)
{
    struct cli_text joined = {0};
    add_loader(&joined);
    for (size_t i = 0; i < options->n_code; i++)
        add_piece(&joined, options->code[i], strlen(options->code[i]), command_line_name,
                  !options->script && i + 1 == options->n_code);
    if (options->script)
        add_piece(&joined, cli_text_get(&script->text), script->text.len,
                  cli_text_get(&script->chunk_name), true);
    cli_text_fini(&script->text);
    script->text = joined;
    cli_text_clear(&script->chunk_name);
    cli_text_add(&script->chunk_name, "=stagehost");
}

/* -- public ---------------------------------------------------------------------------- */

bool script_file_read(struct script_file *script, const struct cli_options *options,
                      const char *program, struct cli_text *why)
{
    *script = (struct script_file){.arg0 = options->script ? options->script : program};
    if (options->script) {
        bool is_stdin = strcmp(options->script, "-") == 0;
        cli_text_addf(&script->chunk_name, "%s%s", is_stdin ? "=" : "@",
                      is_stdin ? "stdin" : options->script);
        if (!read_path(options->script, &script->text, why))
            return false;
    }
    if (options->script ? options->n_code > 0 : options->n_code > 1) {
        join_pieces(script, options);
    } else if (!options->script) {
        cli_text_add(&script->text, options->code[0]);
        cli_text_add(&script->chunk_name, command_line_name);
    }
    if (script->text.is_cut)
        cli_text_add(why, strerror(ENOMEM));
    return !script->text.is_cut;
}

void script_file_fini(struct script_file *script)
{
    cli_text_fini(&script->text);
    cli_text_fini(&script->chunk_name);
}

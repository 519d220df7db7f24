/* SPDX-License-Identifier: MIT
 *
 * Reads the command line by the table of its verb. Options end at the script, at "-", or at
 * "--"; the words after the script are its arguments. */
#include "command/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "command/values.h"

struct parser {
    struct cli_options *options;
    const struct cli_option *table; /* of the verb */
    enum cli_request verb;
    char *const *argv; /* the next word; ends with NULL */
    enum cli_request request;
    uint64_t given; /* bit i: row i of the table stood on the command line */
    struct cli_text *why;
};

/* Verbs reserved for later: until then these words are not taken as scripts. */
static const char *const planned_verbs[] = {"check", "graph", "repl", "tap", "top"};

bool cli_option_env_name(const struct cli_option *option, struct cli_text *out)
{
    if (!option->name || !option->apply)
        return false;
    cli_text_add(out, "STAGEHOST_");
    for (const char *p = option->name; *p; p++) {
        char c = (char)toupper((unsigned char)*p);
        if (c == '-')
            c = '_';
        cli_text_add_bytes(out, &c, 1);
    }
    return true;
}

/* -- one option ------------------------------------------------------------------------ */

/* `shown` is the option as the user wrote it, "-w" or "STAGEHOST_WORKERS". */
static bool apply_option(struct parser *p, const struct cli_option *option,
                         const char *shown, const char *value)
{
    p->given |= UINT64_C(1) << (option - p->table);
    if (!option->apply) {
        p->request = option->request;
        return true;
    }
    const char *expected = option->apply(p->options, value);
    if (!expected)
        return true;
    if (value)
        cli_text_addf(p->why, "%s: %s, not '%s'", shown, expected, value);
    else
        cli_text_addf(p->why, "%s: %s", shown, expected);
    return false;
}

/* The value of an option is the rest of its word or the next word. */
static bool apply_with_next_word(struct parser *p, const struct cli_option *option,
                                 const char *shown)
{
    if (!*p->argv) {
        cli_text_addf(p->why, "%s needs a value: %s", shown, option->value);
        return false;
    }
    return apply_option(p, option, shown, *p->argv++);
}

static bool parse_letters(struct parser *p, const char *letters)
{
    for (; *letters; letters++) {
        char shown[] = {'-', *letters, '\0'};
        const struct cli_option *option = p->table;
        while (option->help && option->letter != *letters)
            option++;
        if (!option->help) {
            cli_text_addf(p->why, "unknown option %s", shown);
            return false;
        }
        if (option->value)
            return letters[1] ? apply_option(p, option, shown, letters + 1)
                              : apply_with_next_word(p, option, shown);
        if (!apply_option(p, option, shown, NULL))
            return false;
        if (p->request != p->verb)
            return true;
    }
    return true;
}

static const struct cli_option *find_long(const struct parser *p, const char *name,
                                          size_t len)
{
    for (const struct cli_option *option = p->table; option->help; option++)
        if (option->name && strncmp(option->name, name, len) == 0 && !option->name[len])
            return option;
    return NULL;
}

static void explain_unknown_long(struct parser *p, const char *word, size_t len)
{
    enum { FAR = 3 };
    struct cli_text given = {0};
    cli_text_addf(&given, "%.*s", (int)len, word);
    unsigned best = FAR;
    const char *nearest = NULL;
    for (const struct cli_option *option = p->table; option->help; option++) {
        unsigned distance = FAR;
        if (option->name)
            distance = cli_edit_distance(cli_text_get(&given) + 2, option->name);
        if (distance < best) {
            best = distance;
            nearest = option->name;
        }
    }
    cli_text_addf(p->why, "unknown option %s", cli_text_get(&given));
    if (nearest)
        cli_text_addf(p->why, " (did you mean --%s?)", nearest);
    cli_text_fini(&given);
}

/* "--name", "--name=value" or "--name value". */
static bool parse_long(struct parser *p, const char *word)
{
    size_t len = strcspn(word, "=");
    const struct cli_option *option = find_long(p, word + 2, len - 2);
    if (!option) {
        explain_unknown_long(p, word, len);
        return false;
    }
    char shown[32] = "--";
    strncat(shown, option->name, sizeof shown - 3);
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    if (value && !option->value) {
        cli_text_addf(p->why, "%s takes no value", shown);
        return false;
    }
    return option->value && !value ? apply_with_next_word(p, option, shown)
                                   : apply_option(p, option, shown, value);
}

/* -- the whole line -------------------------------------------------------------------- */

static bool parse_options(struct parser *p)
{
    while (p->request == p->verb && *p->argv) {
        const char *word = *p->argv;
        if (word[0] != '-' || word[1] == '\0')
            return true;
        p->argv++;
        if (strcmp(word, "--") == 0)
            return true;
        if (!(word[1] == '-' ? parse_long(p, word) : parse_letters(p, word + 1)))
            return false;
    }
    return true;
}

static bool parse_verb(struct parser *p)
{
    const char *word = *p->argv;
    if (!word)
        return true;
    for (size_t i = 0; i < sizeof planned_verbs / sizeof *planned_verbs; i++)
        if (strcmp(word, planned_verbs[i]) == 0) {
            cli_text_addf(p->why, "'%s' is not available yet (a script of that name: ./%s)",
                          word, word);
            return false;
        }
    if (strcmp(word, "test") == 0) {
        p->table = cli_test_table;
        p->request = p->verb = CLI_TEST;
    }
    if (p->verb == CLI_TEST || strcmp(word, "run") == 0)
        p->argv++;
    return true;
}

static void take_script(struct parser *p)
{
    if (!*p->argv)
        return;
    if (p->verb == CLI_RUN)
        p->options->script = *p->argv++;
    p->options->args = (const char *const *)p->argv;
    while (p->argv[p->options->n_args])
        p->options->n_args++;
}

/* An empty variable counts as not set. */
static bool apply_environment(struct parser *p, char *(*env)(const char *name))
{
    bool ok = true;
    for (const struct cli_option *option = p->table; ok && option->help; option++) {
        struct cli_text name = {0};
        bool given = p->given >> (option - p->table) & 1;
        if (!given && cli_option_env_name(option, &name)) {
            const char *value = env(cli_text_get(&name));
            if (value && *value)
                ok = apply_option(p, option, cli_text_get(&name), value);
        }
        cli_text_fini(&name);
    }
    return ok;
}

static bool check_combination(struct parser *p)
{
    if (p->options->seeded && p->options->workers > 1) {
        cli_text_addf(p->why,
                      "a seed (--seed, STAGEHOST_SEED) needs one worker, not %u; add -w 1",
                      p->options->workers);
        return false;
    }
    if (p->options->virtual_clock && p->options->workers > 1) {
        cli_text_addf(
            p->why,
            "a virtual clock (--virtual-clock, STAGEHOST_VIRTUAL_CLOCK) needs one "
            "worker, not %u; add -w 1",
            p->options->workers);
        return false;
    }
    return true;
}

/* -q and -v stand for --log-level: with one of them STAGEHOST_LOG_LEVEL is not read. */
static void note_level_given(struct parser *p)
{
    uint64_t level = 0, shorthand = 0;
    for (const struct cli_option *option = p->table; option->help; option++) {
        uint64_t bit = UINT64_C(1) << (option - p->table);
        if (option->name && strcmp(option->name, "log-level") == 0)
            level = bit;
        if (option->letter == 'q' || option->letter == 'v')
            shorthand |= bit;
    }
    if (p->given & shorthand)
        p->given |= level;
}

enum cli_request cli_options_parse(struct cli_options *options, int argc, char *const *argv,
                                   char *(*env)(const char *name), struct cli_text *why)
{
    *options = (struct cli_options){.drain_timeout_ms = 30000,
                                    .log_level = SH_LOG_INFO,
                                    .repeat = 1,
                                    .test_timeout_ms = 10000};
    if (argc < 1)
        return CLI_RUN;
    options->code = calloc((size_t)argc * 2, sizeof *options->code);
    if (!options->code) {
        cli_text_add(why, "out of memory");
        return CLI_USAGE_ERROR;
    }
    options->libraries = options->code + argc;
    struct parser p = {options, cli_option_table, CLI_RUN, argv + 1, CLI_RUN, 0, why};
    if (!parse_verb(&p) || !parse_options(&p))
        return CLI_USAGE_ERROR;
    if (p.request != p.verb)
        return p.request;
    take_script(&p);
    note_level_given(&p);
    if (!apply_environment(&p, env) || !check_combination(&p))
        return CLI_USAGE_ERROR;
    return p.verb;
}

void cli_options_fini(struct cli_options *options)
{
    free(options->code);
    *options = (struct cli_options){0};
}

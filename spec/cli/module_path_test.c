/* SPDX-License-Identifier: MIT
 *
 * Lists of module templates: order, defaults, no template twice. */
#include <stdlib.h>
#include <string.h>

#include "command/module_path.h"
#include "test.h"

static struct cli_text out;

static const char *expand(const char *list, const char *fallback)
{
    cli_text_clear(&out);
    module_path_add_with_default(&out, list, fallback);
    return cli_text_get(&out);
}

static void test_lists(void)
{
    CHECK_TEXT(expand(NULL, "d"), "");
    CHECK_TEXT(expand("", "d"), "");
    CHECK_TEXT(expand("a;b", "d"), "a;b");
    CHECK_TEXT(expand("a;;", "d;e"), "a;d;e");
    CHECK_TEXT(expand(";;", "d"), "d");
    CHECK_TEXT(expand(";;a", "d"), "d;a");
    CHECK_TEXT(expand("a;;b", "d"), "a;d;b");
    CHECK_TEXT(expand("a;b;a;", "d"), "a;b");
    CHECK_TEXT(expand("ab;a;;", "b;ab"), "ab;a;b");
}

/* Whether `parts` stand in `text` in this order. */
static bool in_order(const char *text, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *found = strstr(text, parts[i]);
        if (!found)
            return false;
        text = found + strlen(parts[i]);
    }
    return true;
}

static void test_order(void)
{
    static const char *const order[] = {"/srv/job/?.lua;/srv/job/?/init.lua", ";own/?.lua;",
                                        "lua/?.lua;", "/share/stagehost/?.lua;",
                                        ";/usr/share/lua/5.1/?.lua;"};
    struct cli_text path = {0}, cpath = {0};
    setenv("STAGEHOST_PATH", "own/?.lua", 1);
    setenv("LUA_PATH", "lua/?.lua", 1);
    setenv("LUA_CPATH", "c/?.so", 1);
    module_path_for_script("/srv/job/main.lua", &path, &cpath);
    CHECK(in_order(cli_text_get(&path), order, sizeof order / sizeof *order));
    CHECK(strncmp(cli_text_get(&cpath), "c/?.so;", 7) == 0);
    CHECK(strstr(cli_text_get(&cpath), "/usr/lib/") != NULL);
    CHECK(strstr(cli_text_get(&path), ";;") == NULL);
    cli_text_clear(&path);
    module_path_for_script("-", &path, &cpath);
    CHECK(strncmp(cli_text_get(&path), "./?.lua;./?/init.lua;", 21) == 0);
    cli_text_clear(&path);
    module_path_for_script("/main.lua", &path, &cpath);
    CHECK(strncmp(cli_text_get(&path), "/?.lua;/?/init.lua;", 19) == 0);
    cli_text_fini(&path);
    cli_text_fini(&cpath);
}

int main(void)
{
    test_lists();
    test_order();
    cli_text_fini(&out);
    return test_end();
}

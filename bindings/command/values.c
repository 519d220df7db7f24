/* SPDX-License-Identifier: MIT */
#include "command/values.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cli_parse_count(const char *word, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = word;
    for (; is_digit(*p); p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (p == word || *p != '\0' || value < least || value > most)
        return false;
    *out = value;
    return true;
}

/* The milliseconds of a unit; 0: no such unit. */
static uint64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ms;
    return 0;
}

bool cli_parse_duration(const char *word, uint64_t *out_ms)
{
    enum {
        MOST_DIGITS = 9
    }; /* keeps every product below 2^64, and is 31 years of seconds */
    if (strcmp(word, "none") == 0) {
        *out_ms = 0;
        return true;
    }
    uint64_t digits = 0, scale = 1;
    size_t n = 0;
    const char *p = word;
    for (; is_digit(*p) && n <= MOST_DIGITS; p++, n++)
        digits = digits * 10 + (unsigned)(*p - '0');
    if (n == 0)
        return false;
    if (*p == '.' && is_digit(p[1]))
        for (p++; is_digit(*p) && n <= MOST_DIGITS; p++, n++, scale *= 10)
            digits = digits * 10 + (unsigned)(*p - '0');
    uint64_t unit = unit_ms(p);
    if (n > MOST_DIGITS || unit == 0 || digits * unit / scale == 0)
        return false;
    *out_ms = digits * unit / scale;
    return true;
}

static const char *const level_names[] = {
    [SH_LOG_OFF] = "off",   [SH_LOG_ERROR] = "error", [SH_LOG_WARN] = "warn",
    [SH_LOG_INFO] = "info", [SH_LOG_DEBUG] = "debug", [SH_LOG_TRACE] = "trace",
};

bool cli_parse_log_level(const char *word, sh_log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
        if (strcmp(level_names[i], word) == 0) {
            *out = (sh_log_level)i;
            return true;
        }
    return false;
}

const char *cli_log_level_name(sh_log_level level)
{
    return level_names[level];
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Three rows of the table are enough: a swap looks two rows back. */
unsigned cli_edit_distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    unsigned rows[3][MOST + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > MOST || m > MOST)
        return 255;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, replaced);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

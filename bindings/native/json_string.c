/* SPDX-License-Identifier: MIT
 *
 * Reads strings. Most of them have no escapes, and become Lua strings without a copy in
 * between. */
#include <stdint.h>
#include <string.h>

#include "native/json_reader.h"
#include "native/json_scan.h"
#include "native/utf8.h"

enum { SMALL_STRING = 512, REPLACEMENT = 0xfffd };

static const char bad_utf8[] =
    "invalid UTF-8 (invalid_utf8 = \"replace\" or \"keep\" takes it)";
static const char lone_surrogate[] =
    "half of a surrogate pair (invalid_utf8 = \"replace\" or \"keep\" takes it)";

/* A string that can't be taken as it is: its bytes are written to `out`. */
struct copy {
    struct shl_json_reader *reader;
    const char *at, *end; /* the rest of the text; *end is the closing quote */
    char *out;
    const char *expected;
};

static bool fail(const struct copy *copy, const char *found)
{
    return shl_json_fail(copy->reader, copy->at, copy->expected, found);
}

/* -- escapes --------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Returns the code of the escape \uXXXX at `at`; -1 if there is none. */
static int32_t unicode_escape(const char *at)
{
    int32_t code = 0;
    if (at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool is_surrogate(int32_t code, int32_t first)
{
    return code >= first && code < first + 0x400;
}

static bool copy_unicode(struct copy *copy)
{
    int32_t code = unicode_escape(copy->at), low;
    int length = 6;
    if (code < 0)
        return fail(copy, "invalid unicode escape code");
    if (is_surrogate(code, 0xd800) &&
        is_surrogate(low = unicode_escape(copy->at + length), 0xdc00)) {
        code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
        length = 12;
    } else if (code >= 0xd800 && code < 0xe000) {
        unsigned choice = copy->reader->options & SHL_JSON_UTF8_MASK;
        if (choice == SHL_JSON_UTF8_ERROR)
            return fail(copy, lone_surrogate);
        if (choice == SHL_JSON_UTF8_REPLACE)
            code = REPLACEMENT;
    }
    copy->out = shl_utf8_write(copy->out, (uint32_t)code);
    copy->at += length;
    return true;
}

static bool copy_escape(struct copy *copy)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char letter = copy->at[1];
    if (letter == 'u')
        return copy_unicode(copy);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found)
        return fail(copy, "invalid escape code");
    *copy->out++ = meanings[found - letters];
    copy->at += 2;
    return true;
}

/* -- strings --------------------------------------------------------------------------- */

static void copy_bytes(struct copy *copy, size_t n)
{
    memcpy(copy->out, copy->at, n);
    copy->out += n;
    copy->at += n;
}

static void copy_invalid(struct copy *copy)
{
    if ((copy->reader->options & SHL_JSON_UTF8_MASK) == SHL_JSON_UTF8_KEEP) {
        copy_bytes(copy, 1);
    } else {
        copy->out = shl_utf8_write(copy->out, REPLACEMENT);
        copy->at++;
    }
}

static bool copy_string(struct copy *copy)
{
    for (;;) {
        copy_bytes(copy, (size_t)(shl_json_skip_text(copy->at, copy->end) - copy->at));
        if (copy->at == copy->end)
            return true;
        if (*copy->at != '\\')
            copy_invalid(copy);
        else if (!copy_escape(copy))
            return false;
    }
}

/* The copy has at most `size` bytes. A long one is made in a userdata, which an error
 * frees. */
static bool push_copy(struct copy copy, size_t size)
{
    lua_State *L = copy.reader->L;
    char small[SMALL_STRING];
    bool is_small = size <= sizeof small;
    char *bytes = is_small ? small : lua_newuserdata(L, size);
    copy.out = bytes;
    if (!copy_string(&copy))
        return false;
    lua_pushlstring(L, bytes, (size_t)(copy.out - bytes));
    if (!is_small)
        lua_replace(L, -2);
    return true;
}

/* Why a string can't be taken as it is. */
struct survey {
    bool has_escapes;
    size_t n_invalid; /* number of bytes to be replaced */
};

/* Skips an escape or an invalid byte at `at`. Returns NULL, after noting the error, if it
 * is refused. */
static const char *skip_special(struct shl_json_reader *reader, const char *at,
                                const char *expected, struct survey *survey)
{
    if (*at == '\\' && at + 1 < reader->end) {
        survey->has_escapes = true;
        return at + 2;
    }
    if ((unsigned char)*at < 0x80) {
        bool is_end = at == reader->end || *at == '\\';
        shl_json_fail(reader, at, expected,
                      is_end ? "unexpected end of string"
                             : "an unescaped control character");
        return NULL;
    }
    if ((reader->options & SHL_JSON_UTF8_MASK) == SHL_JSON_UTF8_ERROR) {
        shl_json_fail(reader, at, expected, bad_utf8);
        return NULL;
    }
    survey->n_invalid += (reader->options & SHL_JSON_UTF8_MASK) == SHL_JSON_UTF8_REPLACE;
    return at + 1;
}

bool shl_json_read_string(struct shl_json_reader *reader, const char *expected)
{
    const char *first = reader->at + 1, *at = first;
    struct survey survey = {0};
    while (*(at = shl_json_skip_text(at, reader->end)) != '"')
        if (!(at = skip_special(reader, at, expected, &survey)))
            return false;
    size_t length = (size_t)(at - first);
    if (!survey.has_escapes && survey.n_invalid == 0) {
        lua_pushlstring(reader->L, first, length);
    } else {
        struct copy copy = {.reader = reader, .at = first, .end = at, .expected = expected};
        if (!push_copy(copy, length + 2 * survey.n_invalid))
            return false;
    }
    reader->top++;
    reader->at = at + 1;
    return true;
}

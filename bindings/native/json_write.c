/* SPDX-License-Identifier: MIT
 *
 * Writes strings and numbers into the text, and makes the memory for it. */
#include <math.h>

#include "native/decimal.h"
#include "native/json_scan.h"
#include "native/json_writer.h"

enum { MAX_ESCAPE = 6 };

static const char bad_utf8[] =
    "invalid UTF-8 (invalid_utf8 = \"replace\" or \"keep\" takes it)";

void shl_json_grow(struct shl_json_writer *writer, size_t size)
{
    lua_State *L = writer->L;
    size_t used = (size_t)(writer->at - writer->first);
    size_t doubled = 2 * (size_t)(writer->end - writer->first);
    if (size < doubled)
        size = doubled;
    char *bytes = lua_newuserdata(L, size);
    memcpy(bytes, writer->first, used);
    lua_replace(L, writer->buffer);
    writer->first = bytes;
    writer->at = bytes + used;
    writer->end = bytes + size;
}

/* -- strings --------------------------------------------------------------------------- */

static void add_escape(struct shl_json_writer *writer, char c)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt",
                      hex[] = "0123456789abcdef";
    const char *found = c ? strchr(special, c) : NULL;
    *writer->at++ = '\\';
    if (found) {
        *writer->at++ = letters[found - special];
        return;
    }
    memcpy(writer->at, "u00", 3);
    writer->at[3] = hex[c >> 4];
    writer->at[4] = hex[c & 15];
    writer->at += 5;
}

/* Writes what stands for the byte at `at`. There is room for an escape. */
static bool add_special(struct shl_json_writer *writer, const char *at)
{
    static const char replacement[] = "\xef\xbf\xbd";
    unsigned choice = writer->options & SHL_JSON_UTF8_MASK;
    if ((unsigned char)*at < 0x80)
        add_escape(writer, *at);
    else if (choice == SHL_JSON_UTF8_ERROR)
        return shl_json_refuse(writer, bad_utf8);
    else if (choice == SHL_JSON_UTF8_REPLACE)
        shl_json_add_bytes(writer, replacement, sizeof replacement - 1);
    else
        shl_json_add(writer, *at);
    return true;
}

bool shl_json_add_string(struct shl_json_writer *writer, int slot)
{
    size_t length;
    const char *at = lua_tolstring(writer->L, slot, &length), *end = at + length;
    shl_json_reserve(writer, length + 2);
    *writer->at++ = '"';
    for (;;) {
        const char *next = shl_json_skip_text(at, end);
        memcpy(writer->at, at, (size_t)(next - at));
        writer->at += next - at;
        if (next == end)
            break;
        shl_json_reserve(writer, (size_t)(end - next) + MAX_ESCAPE + 1);
        if (!add_special(writer, next))
            return false;
        at = next + 1;
    }
    *writer->at++ = '"';
    return true;
}

/* -- numbers --------------------------------------------------------------------------- */

bool shl_json_add_number(struct shl_json_writer *writer, int slot)
{
    lua_Number number = lua_tonumber(writer->L, slot);
    if (!isfinite(number))
        return shl_json_refuse(writer, "must not be NaN or Inf");
    shl_json_reserve(writer, SHL_DOUBLE_SIZE);
    writer->at = shl_decimal_write_double(writer->at, number);
    return true;
}

bool shl_json_add_boxed(struct shl_json_writer *writer, int slot)
{
    lua_State *L = writer->L;
    size_t length;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, slot);
    lua_call(L, 1, 1);
    const char *digits = lua_tolstring(L, -1, &length);
    if (digits)
        shl_json_add_bytes(writer, digits, length);
    lua_pop(L, 1);
    return digits || shl_json_refuse(writer, "type not supported");
}

/* SPDX-License-Identifier: MIT
 *
 * The JSON codec: whatever a text is, it is decoded or refused with a place in it; what was
 * decoded comes out of encode and decode again as the same value; and any bytes survive as
 * a string. */
#include <stdio.h>
#include <stdlib.h>

#include "lua_state.h"

/* check(text, choice): raises what is wrong. */
static const char script[] =
    "local json, ffi = require 'stagehost.codec.json', require 'ffi'\n"
    "local BIG, UTF8 = { 'error', 'int64', 'string' }, { 'error', 'replace', 'keep' }\n"
    "local function is_same(a, b)\n"
    "    if type(a) ~= type(b) then return false end\n"
    "    if type(a) == 'number' then return a == b and 1 / a == 1 / b end\n"
    "    if type(a) == 'cdata' then return a == b and ffi.typeof(a) == ffi.typeof(b) end\n"
    "    if type(a) ~= 'table' then return a == b end\n"
    "    for key, value in pairs(a) do if not is_same(value, b[key]) then return false end "
    "end\n"
    "    for key in pairs(b) do if a[key] == nil then return false end end\n"
    "    return true\n"
    "end\n"
    "local function check_value(text, value, options)\n"
    "    local again = assert(json.encode(value, options))\n"
    "    assert(is_same(value, (json.decode(again, options))), again)\n"
    "    if type(value) == 'number' and not text:find '[eE][-+]?%d%d%d%d%d' then\n"
    "        assert(is_same(value, tonumber(text:match '^%s*(.-)%s*$')), again)\n"
    "    end\n"
    "end\n"
    "local function check_string(text, utf8)\n"
    "    local options = { invalid_utf8 = utf8 }\n"
    "    local encoded = json.encode(text, options)\n"
    "    if utf8 == 'error' and not encoded then return end\n"
    "    local decoded = assert(json.decode(encoded, options))\n"
    "    assert(utf8 == 'replace' or decoded == text)\n"
    "    assert(utf8 == 'keep' or encoded == json.encode(decoded))\n"
    "end\n"
    "return function(text, choice)\n"
    "    local options = { big_integers = BIG[choice % 3 + 1], invalid_utf8 = UTF8[choice "
    "% 5 % 3 + 1] }\n"
    "    local value, message = json.decode(text, options)\n"
    "    if value ~= nil then\n"
    "        check_value(text, value, options)\n"
    "    else\n"
    "        local at = tonumber(message:match 'at character (%d+)')\n"
    "        assert(at >= 1 and at <= #text + 1, message)\n"
    "    end\n"
    "    check_string(text, options.invalid_utf8)\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    if (!L)
        L = fuzz_make_state(script);
    if (size == 0)
        return 0;
    lua_pushvalue(L, 1);
    lua_pushlstring(L, (const char *)data + 1, size - 1);
    lua_pushnumber(L, data[0]);
    if (lua_pcall(L, 2, 0, 0) != 0) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    return 0;
}

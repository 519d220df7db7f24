/* SPDX-License-Identifier: MIT
 *
 * The line splitter: a text cut into chunks anywhere comes out as the same lines as in one
 * piece. */
#include <stdlib.h>
#include <string.h>

#include "lua_state.h"

/* lines(text, cuts, keep_cr): the lines of the text, cut after as many bytes as each byte of `cuts`
 * says, joined with \0. */
static const char script[] =
    "local splitters = require 'stagehost.core.text'\n"
    "return function(text, cuts, keep_cr)\n"
    "    local splitter, out, at = splitters.splitter(keep_cr), {}, 1\n"
    "    for i = 1, #cuts + 1 do\n"
    "        local len = i <= #cuts and cuts:byte(i) or #text\n"
    "        if len > 0 and at <= #text then\n"
    "            local lines = splitter:feed(text:sub(at, at + len - 1))\n"
    "            for k = 1, lines and #lines or 0 do out[#out + 1] = lines[k] end\n"
    "            at = at + len\n"
    "        end\n"
    "    end\n"
    "    local last = splitter:finish()\n"
    "    out[#out + 1] = last and last[1]\n"
    "    local plain = {}\n"
    "    local rest = text:match '[^\\n]*$' -- what no newline ends keeps its \\r\n"
    "    for line in text:gmatch '([^\\n]*)\\n' do\n"
    "        plain[#plain + 1] = keep_cr and line or (line:gsub('\\r$', ''))\n"
    "    end\n"
    "    plain[#plain + 1] = #rest > 0 and rest or nil\n"
    "    local expected = table.concat(plain, '\\0')\n"
    "    return #out == #plain and table.concat(out, '\\0') == expected\n"
    "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    if (!L)
        L = fuzz_make_state(script);
    if (size < 2)
        return 0;
    size_t n_cuts = data[0] % 16 < size - 1 ? data[0] % 16 : size - 1;
    const char *text = (const char *)data + 1 + n_cuts;
    lua_pushvalue(L, 1);
    lua_pushlstring(L, text, size - 1 - n_cuts);
    lua_pushlstring(L, (const char *)data + 1, n_cuts);
    lua_pushboolean(L, data[0] >= 128);
    if (lua_pcall(L, 3, 1, 0) != 0 || !lua_toboolean(L, -1))
        abort();
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT,
           0); /* LeakSanitizer does not see what LuaJIT's heap refers to */
    return 0;
}

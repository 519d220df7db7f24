-- SPDX-License-Identifier: MIT

--- Packed lists that nobody uses any more do not pile up, although the collector sees little of them.

--- Prints by how many kB the memory grows while 200 MB of lines go by, with 10 MB of other values in Lua.
local SCRIPT = [[
    local stagehost = require "stagehost"
    local text, uv = stagehost.text, stagehost.uv
    local values = {}
    for i = 1, 50000 do values[i] = { i } end
    local chunk = (("x"):rep(99) .. "\n"):rep(650)
    local splitter = text.splitter()
    local before, n = uv.resident_set_memory(), 0
    for _ = 1, 3000 do n = n + #text.select(splitter:feed(chunk), "x") end
    assert(n == 3000 * 650)
    print(math.floor((uv.resident_set_memory() - before) / 1024))
]]

describe("memory held by packed lists", function()
    it("is a few times that of the Lua heap", function()
        -- A build with AddressSanitizer keeps freed memory for a while.
        local command = ("ASAN_OPTIONS=\"quarantine_size_mb=4:$ASAN_OPTIONS\" '%s' -e '%s'"):format(
            os.getenv "STAGEHOST" or "stagehost", SCRIPT)
        local pipe = assert(io.popen(command))
        local growth = tonumber((pipe:read "*a"))
        pipe:close()
        assert.is_true(growth < 80000, growth .. " kB")
    end)
end)
